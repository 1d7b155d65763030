package conform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// An answer is what a reply must be. Empty members are not looked at.
type answer struct {
	status  int
	code    string   // AWS error code
	message string   // the whole message of an error
	words   []string // parts of it
	body    string   // the whole body
	members []string // of the body's object, all of them
}

// refused is the answer to most wrong inputs.
func refused(status int, code string, words ...string) answer {
	return answer{status: status, code: code, words: words}
}

// invalid is Bedrock's answer to an input that breaks a constraint.
func invalid(words ...string) answer { return refused(400, "ValidationException", words...) }

// breaks is invalid with the framework's words for a member.
func breaks(member, constraint string) answer {
	return invalid("validation error", "at '"+member+"' failed to satisfy constraint: ", constraint)
}

// asks makes a check of one raw request and its answer.
func asks(operation, says, source string, need Need, a ask, want answer) Check {
	return Check{operation, says, source, need, func(ctx context.Context, s *Subject) error {
		_, err := s.expect(ctx, a, want)
		return err
	}}
}

// expect sends and compares. The reply is nil only when there was none.
func (s *Subject) expect(ctx context.Context, a ask, want answer) (*reply, error) {
	want.words = slices.Clone(want.words) // a check's own stay unfilled, for the next run
	for _, text := range append(pointers(want.words), &want.message, &want.body) {
		filled, err := s.fill(ctx, *text)
		if err != nil {
			return nil, err
		}
		*text = filled
	}
	got, err := s.send(ctx, a)
	if err != nil {
		return nil, err
	}
	return got, errors.Join(got.is(want), got.common(a))
}

func pointers(list []string) []*string {
	var all []*string
	for i := range list {
		all = append(all, &list[i])
	}
	return all
}

func (r *reply) is(want answer) error {
	errs := []error{}
	if want.status != 0 {
		errs = append(errs, same("HTTP status", want.status, r.status))
	}
	if want.code != "" {
		errs = append(errs, same("error code", want.code, r.code()))
	}
	if want.message != "" {
		errs = append(errs, same("message", want.message, r.message()))
	}
	for _, w := range want.words {
		errs = append(errs, holds("message", strings.Contains(r.message(), w), "the words "+strconv.Quote(w), r.message()))
	}
	if want.body != "" {
		errs = append(errs, same("body", want.body, string(r.body)))
	}
	if want.members != nil {
		errs = append(errs, r.has(want.members))
	}
	if err := errors.Join(errs...); err != nil && r.status >= 400 && want.status < 400 {
		return errors.Join(err, &Mismatch{"body", "no error", abridged(string(r.body))})
	} else {
		return err
	}
}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// common holds of every answer: a request id; no null, but in a model's own
// body; an error's type before the first colon of its header, and its message.
func (r *reply) common(a ask) error {
	id := r.header.Get("x-amzn-RequestId")
	errs := []error{holds("header x-amzn-RequestId", uuid.MatchString(id), "a UUID", id)}
	if strings.Contains(r.header.Get("Content-Type"), "json") {
		native := strings.HasSuffix(a.path, "/invoke")
		errs = append(errs, holds("body", json.Valid(r.body), "JSON", string(r.body)),
			holds("body", native || !strings.Contains(string(r.body), ":null"), "absent members left out", string(r.body)))
	}
	if r.status >= 400 {
		errs = append(errs, holds("error code", plainCode.MatchString(r.code()), "a bare name before the first colon", r.code()),
			holds("message", r.message() != "", "a message or Message", string(r.body)))
	}
	return errors.Join(errs...)
}

var plainCode = regexp.MustCompile(`^[A-Za-z.]+$`)

// code is the error code as SDKs read it: of the header up to its first colon,
// else of the body's __type, else of XML.
func (r *reply) code() string {
	code, _, _ := strings.Cut(r.header.Get("x-amzn-ErrorType"), ":")
	if code == "" {
		if m := xmlCode.FindSubmatch(r.body); m != nil {
			return string(m[1])
		}
		code, _ = r.object()["__type"].(string)
	}
	return code[strings.LastIndex(code, "#")+1:]
}

var (
	xmlCode    = regexp.MustCompile(`<Code>([^<]*)</Code>`)
	xmlMessage = regexp.MustCompile(`<Message>([^<]*)</Message>`)
)

// message as SDKs read it: message, or the front layer's Message.
func (r *reply) message() string {
	o := r.object()
	for _, name := range []string{"message", "Message"} {
		if m, ok := o[name].(string); ok {
			return m
		}
	}
	if m := xmlMessage.FindSubmatch(r.body); m != nil {
		return string(m[1])
	}
	return ""
}

func (r *reply) object() map[string]any {
	var o map[string]any
	if json.Unmarshal(r.body, &o) != nil {
		return nil
	}
	return o
}

// has compares the names of the body's members. A name that ends in "?" may
// be absent.
func (r *reply) has(members []string) error {
	return sameMembers("members of the body", members, r.object())
}

func sameMembers(what string, expected []string, object map[string]any) error {
	got := slices.Sorted(maps.Keys(object))
	for _, name := range got {
		if !slices.Contains(expected, name) && !slices.Contains(expected, name+"?") {
			return &Mismatch{what, strings.Join(expected, ", "), strings.Join(got, ", ")}
		}
	}
	for _, name := range expected {
		if !strings.HasSuffix(name, "?") && !slices.Contains(got, name) {
			return &Mismatch{what, strings.Join(expected, ", "), strings.Join(got, ", ")}
		}
	}
	return nil
}

// at finds a member by its path: "output.message.content.0.text".
func at(v any, path string) any {
	for step := range strings.SplitSeq(path, ".") {
		switch here := v.(type) {
		case map[string]any:
			v = here[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(here) {
				return nil
			}
			v = here[i]
		default:
			return nil
		}
	}
	return v
}

// number is the JSON number at path, or -1.
func number(v any, path string) float64 {
	n, ok := at(v, path).(float64)
	if !ok {
		return -1
	}
	return n
}

// text is the JSON string at path, or empty.
func text(v any, path string) string {
	t, _ := at(v, path).(string)
	return t
}

// sdkRefusal compares an SDK's error.
func sdkRefusal(err error, code string) error {
	if err == nil {
		return &Mismatch{"the SDK's error", code, "no error"}
	}
	if got := codeOf(err); got != code {
		return &Mismatch{"the SDK's error", code, fmt.Sprintf("%s (%v)", got, err)}
	}
	return nil
}
