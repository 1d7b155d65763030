package costapi

import (
	"encoding/base64"
	"strconv"

	"outcrop"
)

// maxListed is the upper limit of MaxResults in lists of definitions.
const maxListed = 100

// pageOf cuts a list that only grows at its end into pages. A token is how many
// have been shown.
func pageOf[T any](list []T, token string, size *int64, limit int64) (page []T, next string, err error) {
	n, err := maxOf(size, limit)
	if err != nil {
		return nil, "", err
	}
	from := 0
	if token != "" {
		text, err := base64.RawURLEncoding.DecodeString(token)
		if err == nil {
			from, err = strconv.Atoi(string(text))
		}
		if err != nil || from < 0 {
			return nil, "", &outcrop.Error{Kind: outcrop.Invalid, Code: "InvalidNextTokenException", Message: "The pagination token is invalid. Try again without a pagination token."}
		}
	}
	if n == 0 {
		n = int(limit)
	}
	from = min(from, len(list))
	to := min(from+n, len(list))
	if to < len(list) {
		next = base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(to)))
	}
	return list[from:to], next, nil
}
