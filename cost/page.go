package cost

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"

	"outcrop"
)

// A place is a row of an answer that has been shown: everything up to and
// including group Keys of period Period. Rows are found again by their names,
// so that groups which appear between two pages move nothing.
type place struct {
	Period int       `json:"p"`
	Keys   groupKeys `json:"k"`
	Whole  bool      `json:"w,omitempty"` // the period has no further groups
}

// start is the place before the first row.
var start = place{Period: -1, Whole: true}

// page lays out up to limit rows after a place. The second result is the last
// row shown when there are more.
func (t *table) page(after place, limit int) ([]Result, *place) {
	var out []Result
	first := after.Period
	if after.Whole {
		first++
	}
	last, rows := after, 0
	for i := first; i < len(t.periods); i++ {
		keys := t.rest(i, after)
		if len(keys) == 0 && i == after.Period {
			continue // nothing is left of this period
		}
		if rows >= limit {
			return out, &last
		}
		shown := keys[:min(len(keys), limit-rows)]
		out = append(out, t.result(i, shown))
		rows += max(len(shown), 1)
		if len(shown) < len(keys) {
			return out, &place{Period: i, Keys: shown[len(shown)-1]}
		}
		last = place{Period: i, Whole: true}
	}
	return out, nil
}

// rest are the groups of a period that come after a place.
func (t *table) rest(period int, after place) []groupKeys {
	keys := t.sorted(period)
	if period != after.Period {
		return keys
	}
	for i, k := range keys {
		if k.compare(after.Keys) > 0 {
			return keys[i:]
		}
	}
	return nil
}

func (t *table) result(period int, keys []groupKeys) Result {
	r := Result{Period: t.periods[period], Total: t.totals[period]}
	for _, k := range keys {
		r.Groups = append(r.Groups, Group{Keys: append([]string(nil), k[:t.grouped]...), Value: *t.groups[period][k]})
	}
	return r
}

// A pageToken is a place and a digest of the question it belongs to.
type pageToken[At any] struct {
	Query []byte `json:"q"`
	At    At     `json:"at"`
}

func encodeToken[At any](query []byte, at At) string {
	text, err := json.Marshal(pageToken[At]{query, at})
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// decodeToken reads a token that was made for the same question.
func decodeToken[At any](token string, query []byte) (At, error) {
	var t pageToken[At]
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(text, &t)
	}
	if err != nil {
		return t.At, invalidToken()
	}
	if !bytes.Equal(t.Query, query) {
		return t.At, &outcrop.Error{Kind: outcrop.Invalid, Code: "RequestChangedException",
			Message: "Your request parameters changed between pages. Try again with the old parameters or without a pagination token."}
	}
	return t.At, nil
}

func invalidToken() error {
	return &outcrop.Error{Kind: outcrop.Invalid, Code: "InvalidNextTokenException", Message: "The pagination token is invalid. Try again without a pagination token."}
}

// place reads q.Page.
func (q Query) place(query []byte) (place, error) {
	if q.Page == "" {
		return start, nil
	}
	at, err := decodeToken[place](q.Page, query)
	if err != nil {
		return place{}, err
	}
	if at.Period < 0 || at.Period >= maxPeriods {
		return place{}, invalidToken()
	}
	return at, nil
}

// digest identifies q, whichever page it asks for.
func (q Query) digest(account outcrop.AccountID) []byte {
	q.Page = ""
	return digest(account, q)
}

// digest identifies a question.
func digest(account outcrop.AccountID, question any) []byte {
	text, err := json.Marshal([]any{account, question})
	if err != nil {
		return nil
	}
	sum := sha256.Sum256(text)
	return sum[:16]
}
