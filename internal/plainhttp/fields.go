package plainhttp

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/http/httpguts"
)

// appendHead writes the status line and every field but those that frame.
func appendHead(b []byte, status int, header http.Header) []byte {
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, ' ')
	if text := http.StatusText(status); text != "" {
		b = append(b, text...)
	} else {
		b = strconv.AppendInt(append(b, "status code "...), int64(status), 10)
	}
	b = append(b, "\r\n"...)
	for name, values := range header {
		if name == "Content-Length" || name == "Transfer-Encoding" || name == "Connection" || !httpguts.ValidHeaderFieldName(name) {
			continue
		}
		for _, v := range values {
			b = append(append(b, name...), ": "...)
			b = append(appendValue(b, v), "\r\n"...)
		}
	}
	if _, set := header["Date"]; !set && status >= 200 {
		b = append(append(b, "Date: "...), date()...)
		b = append(b, "\r\n"...)
	}
	return b
}

// appendValue writes a value on one line, whatever is in it.
func appendValue(b []byte, v string) []byte {
	from := len(b)
	b = append(b, strings.Trim(v, " \t")...)
	for i := from; i < len(b); i++ {
		if b[i] == '\r' || b[i] == '\n' {
			b[i] = ' '
		}
	}
	return b
}

// A stamp is the time as a Date field has it, for one second.
type stamp struct {
	second int64
	text   string
}

var lastStamp atomic.Pointer[stamp]

func date() string {
	now := time.Now()
	s := lastStamp.Load()
	if s == nil || s.second != now.Unix() {
		s = &stamp{now.Unix(), now.UTC().Format(http.TimeFormat)}
		lastStamp.Store(s)
	}
	return s.text
}
