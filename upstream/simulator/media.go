package simulator

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"outcrop/converse"
)

// byteLength is the length of what b encodes, without decoding it.
func byteLength(b converse.Base64) int {
	n := len(b) / 4 * 3
	for i := len(b) - 1; i >= 0 && b[i] == '='; i-- {
		n--
	}
	return max(n, 0)
}

// imageSize reads width and height from the head of an image.
func imageSize(format string, b converse.Base64) (width, height int, ok bool) {
	c, err := imageConfig(format, base64.NewDecoder(base64.StdEncoding, bytes.NewReader(b)))
	const maxSide = 1 << 15 // pixels; a larger claim is not believed
	if err != nil || c.Width <= 0 || c.Height <= 0 || c.Width > maxSide || c.Height > maxSide {
		return 0, 0, false
	}
	return c.Width, c.Height, true
}

func imageConfig(format string, r io.Reader) (image.Config, error) {
	switch format {
	case "png":
		return png.DecodeConfig(r)
	case "jpeg":
		return jpeg.DecodeConfig(r)
	case "gif":
		return gif.DecodeConfig(r)
	case "webp":
		return webpConfig(r)
	}
	return image.Config{}, image.ErrFormat
}

// webpConfig reads the three kinds of WebP header (RFC 9649 §2).
func webpConfig(r io.Reader) (image.Config, error) {
	var h [30]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return image.Config{}, err
	}
	if string(h[:4]) != "RIFF" || string(h[8:12]) != "WEBP" {
		return image.Config{}, image.ErrFormat
	}
	le := binary.LittleEndian
	switch string(h[12:16]) {
	case "VP8 ":
		return image.Config{Width: int(le.Uint16(h[26:]) & 0x3fff), Height: int(le.Uint16(h[28:]) & 0x3fff)}, nil
	case "VP8L":
		bits := le.Uint32(h[21:])
		return image.Config{Width: int(bits&0x3fff) + 1, Height: int(bits>>14&0x3fff) + 1}, nil
	case "VP8X":
		return image.Config{Width: int24(h[24:]) + 1, Height: int24(h[27:]) + 1}, nil
	}
	return image.Config{}, image.ErrFormat
}

func int24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// plainText says whether a document of this format is text already.
func plainText(format string) bool {
	switch format {
	case "txt", "md", "csv", "html":
		return true
	}
	return false
}

// describeImage says what an image looks like: "png, 640×480, 12 kB".
func describeImage(b *converse.ImageBlock) string {
	if w, h, ok := imageSize(b.Format, b.Source.Bytes); ok {
		return fmt.Sprintf("%s, %d×%d, %s", b.Format, w, h, size(byteLength(b.Source.Bytes)))
	}
	return b.Format + where(b.Source.S3Location, b.Source.Bytes)
}

func describeDocument(b *converse.DocumentBlock) string {
	n := byteLength(b.Source.Bytes)
	if b.Source.Text != nil {
		n = len(*b.Source.Text)
	}
	for i := range b.Source.Content {
		n += len(deref(b.Source.Content[i].Text))
	}
	format := b.Format
	if format == "" {
		format = "txt"
	}
	if b.Source.S3Location != nil {
		return b.Name + ", " + format + where(b.Source.S3Location, nil)
	}
	return b.Name + ", " + format + ", " + size(n)
}

func describeMedia(format string, at *converse.S3Location, b converse.Base64) string {
	return format + where(at, b)
}

func where(at *converse.S3Location, b converse.Base64) string {
	if at != nil {
		return ", " + at.Uri
	}
	return ", " + size(byteLength(b))
}

func size(n int) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1_000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
