package costapi

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"outcrop"
)

// maxListed is the upper limit of MaxResults in lists of definitions.
const maxListed = 100

// pageOf cuts a list that grows at its end into pages. A token is how many have
// been shown, and the last of them: should others before it be deleted, its
// place is another one.
func pageOf[T any](list []T, token string, size *int64, limit int64, id func(*T) string) (page []T, next string, err error) {
	n, err := maxOf(size, limit)
	if err != nil {
		return nil, "", err
	}
	if n == 0 {
		n = int(limit)
	}
	from, err := behind(list, token, id)
	if err != nil {
		return nil, "", err
	}
	to := min(from+n, len(list))
	if to < len(list) {
		next = base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(to) + " " + id(&list[to-1])))
	}
	return list[from:to], next, nil
}

// behind is the place behind what a token says was shown. When the last of that
// is gone, what followed it has moved up by one.
func behind[T any](list []T, token string, id func(*T) string) (place int, err error) {
	if token == "" {
		return 0, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	count, last, _ := strings.Cut(string(text), " ")
	shown, wrong := strconv.Atoi(count)
	if err != nil || wrong != nil || shown < 1 {
		return 0, &outcrop.Error{Kind: outcrop.Invalid, Code: "InvalidNextTokenException", Message: "The pagination token is invalid. Try again without a pagination token."}
	}
	if shown <= len(list) && id(&list[shown-1]) == last {
		return shown, nil
	}
	if i := slices.IndexFunc(list, func(x T) bool { return id(&x) == last }); i >= 0 {
		return i + 1, nil
	}
	return min(shown-1, len(list)), nil
}
