package h1

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"outcrop/internal/headmem"
)

// A head is what stands before the body of a response.
type head struct {
	status string // such as "200 OK"
	code   int
	minor  int // of HTTP/1.x
	header http.Header
	memory headmem.Memory // of header

	// How the body ends.
	length  int64 // as told; -1 for untold
	chunked bool
	close   bool // the connection ends with it
}

// parse reads a head to its empty line, of which it keeps nothing. It takes what
// RFC 9112 says a server may send and no more: a line that could mean two things
// to two readers is an error, never a guess.
func (h *head) parse(text string) error {
	line, rest, _ := strings.Cut(text, "\r\n")
	if err := h.parseStatus(line); err != nil {
		return err
	}
	n := strings.Count(rest, "\r\n") - 1 // the empty line is none
	h.header = h.memory.Begin(n)
	for range n {
		line, rest, _ = strings.Cut(rest, "\r\n")
		field, ok := h.memory.Read(line)
		if !ok {
			return fmt.Errorf("%w: a line without a name, or with a control character", errMalformed)
		}
		h.memory.Add(field)
	}
	if rest != "\r\n" {
		return errMalformed
	}
	return h.frame()
}

// again is h for another head, in the same memory.
func (h *head) again() head { return head{status: h.status, memory: h.memory} }

// parseStatus reads such as "HTTP/1.1 200 OK"; the words may be missing.
func (h *head) parseStatus(line string) error {
	const version = "HTTP/1."
	if len(line) < len("HTTP/1.1 200") || line[:len(version)] != version || line[8] != ' ' || line[7] != '0' && line[7] != '1' {
		return errMalformed
	}
	h.minor = int(line[7] - '0')
	if line[9:] != h.status { // else it is as that of the head before
		h.status = strings.Clone(line[9:])
	}
	code, words, _ := strings.Cut(h.status, " ")
	n, err := strconv.Atoi(code)
	if err != nil || len(code) != 3 || n < 100 || !httpguts.ValidHeaderFieldValue(words) {
		return errMalformed
	}
	h.code = n
	return nil
}

// frame finds out how the body ends.
func (h *head) frame() error {
	h.length = -1
	for i, text := range h.header["Content-Length"] {
		n, err := strconv.ParseUint(text, 10, 63)
		if err != nil || i > 0 && int64(n) != h.length {
			return errFraming
		}
		h.length = int64(n)
	}
	if told := h.header["Content-Length"]; len(told) > 1 {
		h.header["Content-Length"] = told[:1]
	}
	if coding := h.header["Transfer-Encoding"]; coding != nil {
		if h.minor == 0 || h.length >= 0 || len(coding) != 1 || !strings.EqualFold(coding[0], "chunked") {
			return errFraming
		}
		h.chunked = true
		delete(h.header, "Transfer-Encoding")
	}
	h.close = h.minor == 0
	for _, list := range h.header["Connection"] {
		for word := range strings.SplitSeq(list, ",") {
			h.close = h.close || strings.EqualFold(strings.Trim(word, " \t"), "close")
		}
	}
	return nil
}
