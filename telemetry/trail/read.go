package trail

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"outcrop"
)

// A stored event is what a look-up reads of a line.
type stored struct {
	UserIdentity userIdentity    `json:"userIdentity"`
	Time         time.Time       `json:"eventTime"`
	Source       string          `json:"eventSource"`
	Name         string          `json:"eventName"`
	Region       outcrop.Region  `json:"awsRegion"`
	ID           string          `json:"eventID"`
	ReadOnly     bool            `json:"readOnly"`
	Recipient    string          `json:"recipientAccountId"`
	Parameters   json.RawMessage `json:"requestParameters"`
	Response     json.RawMessage `json:"responseElements"`
}

// ReadLine reads one line of a trail, without its end. A line that is torn or
// not a trail's is an error.
func ReadLine(line []byte) (outcrop.AuditRecord, error) {
	e, err := parse(line)
	if err != nil {
		return outcrop.AuditRecord{}, err
	}
	return e.record(line), nil
}

func parse(line []byte) (*stored, error) {
	e := new(stored)
	if err := json.Unmarshal(line, e); err != nil {
		return nil, fmt.Errorf("read audit line: %w", err)
	}
	if e.Time.IsZero() || e.ID == "" {
		return nil, fmt.Errorf("read audit line: it has no eventTime or no eventID")
	}
	return e, nil
}

func (e *stored) record(line []byte) outcrop.AuditRecord {
	return outcrop.AuditRecord{
		ID: e.ID, Name: e.Name, Source: e.Source, Time: e.Time, ReadOnly: e.ReadOnly, Username: e.username(),
		AccessKey: e.UserIdentity.AccessKeyID, Resources: e.resources(), Text: string(line),
	}
}

// username is what CloudTrail's Username is: a session's name for a role.
func (e *stored) username() string {
	u := &e.UserIdentity
	switch u.Type {
	case "AssumedRole":
		_, name, _ := strings.Cut(u.PrincipalID, ":")
		return name
	case "Root":
		return "root"
	}
	return u.UserName
}

var timeMember = []byte(`"eventTime":"`)

// timeOf finds a line's time without reading all of it. What precedes it is
// our own writing but for names, and those cannot hold a bare quote.
func timeOf(line []byte) (time.Time, bool) {
	_, rest, found := bytes.Cut(line, timeMember)
	text, _, closed := bytes.Cut(rest, []byte{'"'})
	at, err := time.Parse(time.RFC3339, string(text))
	return at, found && closed && err == nil
}

// attributes are the lookup attributes that CloudTrail has.
var attributes = map[string]func(*stored, string) bool{
	"EventId":     func(e *stored, v string) bool { return e.ID == v },
	"EventName":   func(e *stored, v string) bool { return e.Name == v },
	"EventSource": func(e *stored, v string) bool { return e.Source == v },
	"ReadOnly":    func(e *stored, v string) bool { return strconv.FormatBool(e.ReadOnly) == v },
	"Username":    func(e *stored, v string) bool { return e.username() == v },
	"AccessKeyId": func(e *stored, v string) bool { return e.UserIdentity.AccessKeyID == v },
	"ResourceType": func(e *stored, v string) bool {
		return e.about(func(r outcrop.AuditResource) bool { return r.Type == v })
	},
	"ResourceName": func(e *stored, v string) bool {
		return e.about(func(r outcrop.AuditResource) bool { return r.Name == v })
	},
}

func (e *stored) about(is func(outcrop.AuditResource) bool) bool {
	for _, r := range e.resources() {
		if is(r) {
			return true
		}
	}
	return false
}

// matcher says whether a line answers q, and reads it if so.
func matcher(q outcrop.AuditQuery) func([]byte) (outcrop.AuditRecord, bool) {
	is, filtered := attributes[q.Key]
	hint := hintOf(q)
	return func(line []byte) (outcrop.AuditRecord, bool) {
		if !bytes.Contains(line, hint) {
			return outcrop.AuditRecord{}, false
		}
		e, err := parse(line)
		if err != nil || e.Recipient != string(q.Account) || q.Region != "" && e.Region != q.Region || filtered && !is(e, q.Value) ||
			e.Time.Before(q.Start.Truncate(time.Second)) || !q.End.IsZero() && e.Time.After(q.End) {
			return outcrop.AuditRecord{}, false
		}
		return e.record(line), true
	}
}

// hintOf is a text that every matching line holds: most lines need not be
// parsed then.
func hintOf(q outcrop.AuditQuery) []byte {
	switch q.Key {
	case "", "ReadOnly", "ResourceType":
		return nil
	}
	b, err := json.Marshal(q.Value)
	if err != nil || len(b) != len(q.Value)+len(`""`) {
		return nil // its spelling in a line may differ
	}
	return b[1 : len(b)-1]
}
