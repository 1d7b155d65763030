package jsonlex

import "unicode/utf8"

// A part of a text is quiet when it is printable ASCII without quotes and
// backslashes: the inside of a string that has no end in it. A body with a
// picture is hardly anything else, and too large for the processor's cache, so
// it is walked over once, in steps, and the longest quiet part is remembered.
const (
	stepBytes  = 64
	leastQuiet = 1 << 10 // what is shorter is not worth remembering
)

// survey finds the longest quiet part, and says whether all is valid UTF-8.
func (l *Lexer) survey() (valid bool) {
	b, checked := l.data, 0
	for i := 0; i+leastQuiet <= len(b); {
		end := i + stepBytes*quietSteps(&b[i], (len(b)-i)/stepBytes)
		if end-i >= leastQuiet {
			if !utf8.Valid(b[checked:i]) {
				return false
			}
			checked = end
			if end-i > l.quietTo-l.quietFrom {
				l.quietFrom, l.quietTo = i, end
			}
		}
		i = end + leastQuiet/2
	}
	return utf8.Valid(b[checked:])
}

// plainFrom is plain, without a look at what is known to be quiet.
func (l *Lexer) plainFrom(i int) int {
	if i < l.quietTo {
		if i < l.quietFrom {
			if i = plain(l.data[:l.quietFrom], i); i < l.quietFrom {
				return i
			}
		}
		i = l.quietTo
	}
	return plain(l.data, i)
}
