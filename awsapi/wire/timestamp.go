package wire

import (
	"math"
	"net/http"
	"strconv"
	"time"
)

// The timestamp formats of the service models.
const (
	ISO8601   = "iso8601"
	RFC822    = "rfc822"
	UnixEpoch = "unixTimestamp"
)

// iso6 is how REST-JSON services write a time: UTC, six fractional digits
// (control-plane.md §0).
const iso6 = "2006-01-02T15:04:05.000000Z"

// iso3 is how the other services write an ISO-8601 time: milliseconds only
// when there are any.
const iso3 = "2006-01-02T15:04:05.999Z"

// The times that a timestamp may name, in seconds: years 1 to 9999.
const minEpoch, maxEpoch = -62135596800, 253402300799

// timestampFormat is the format of m's timestamp: its own, else its shape's,
// else what the protocol does there.
func (m *Member) timestampFormat(otherwise string) string {
	switch {
	case m.TimestampFormat != "":
		return m.TimestampFormat
	case m.Shape.TimestampFormat != "":
		return m.Shape.TimestampFormat
	}
	return otherwise
}

// parseTimestamp reads s in the given format, and in ISO-8601 with any offset
// whatever the format: a client that writes what the model does not name is
// understood when what it wrote has one meaning only.
func parseTimestamp(s, format string) (time.Time, bool) {
	switch format {
	case UnixEpoch:
		if t, ok := parseEpoch(s); ok {
			return t, true
		}
	case RFC822:
		if t, err := http.ParseTime(s); err == nil {
			return t.UTC(), inRange(t)
		}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	return t.UTC(), err == nil && inRange(t)
}

func inRange(t time.Time) bool { return t.Unix() >= minEpoch && t.Unix() <= maxEpoch }

// parseEpoch reads seconds since 1970 as a decimal number. Fractions are kept
// to the microsecond, which is what a double holds at today's dates.
func parseEpoch(s string) (time.Time, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.Unix(n, 0).UTC(), n >= minEpoch && n <= maxEpoch
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return time.Time{}, false
	}
	return epochTime(f)
}

func epochTime(f float64) (time.Time, bool) {
	if !(f >= minEpoch && f < maxEpoch+1) { // false for NaN too
		return time.Time{}, false
	}
	sec, frac := math.Modf(f)
	return time.Unix(int64(sec), int64(math.Round(frac*1e6))*1000).UTC(), true
}

// appendTimestamp writes t in the given format, without quotes. iso is the
// layout of ISO-8601.
func appendTimestamp(b []byte, t time.Time, format, iso string) []byte {
	switch format {
	case UnixEpoch:
		return appendEpoch(b, t)
	case RFC822:
		return t.UTC().AppendFormat(b, http.TimeFormat)
	}
	if iso == iso6 {
		return appendMicros(b, t.UTC())
	}
	return t.UTC().AppendFormat(b, iso)
}

// appendMicros writes t as iso6 lays it out. The time package writes RFC 3339
// several times faster than a layout that it has to read.
func appendMicros(b []byte, t time.Time) []byte {
	b = t.AppendFormat(b, time.RFC3339)
	b[len(b)-1] = '.'
	for micros, unit := t.Nanosecond()/1000, 100_000; unit > 0; unit /= 10 {
		b = append(b, '0'+byte(micros/unit%10))
	}
	return append(b, 'Z')
}

// appendEpoch writes whole seconds, and milliseconds when there are any.
func appendEpoch(b []byte, t time.Time) []byte {
	ms := t.UnixMilli()
	if ms%1000 == 0 {
		return strconv.AppendInt(b, ms/1000, 10)
	}
	return strconv.AppendFloat(b, float64(ms)/1000, 'f', 3, 64)
}
