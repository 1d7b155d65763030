package simulator

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	_ "image/gif" // pictures that are embedded come in these forms
	"image/jpeg"
	"image/png"
	"math/rand/v2"

	"outcrop/converse"
	"outcrop/converse/task"
)

// A picture is a few tiles on a side, whatever its size.
const (
	tilesOnASide = 8
	jpegQuality  = 75
	maxPixels    = 4096 * 4096 // of a picture that is looked at
)

// paint draws pictures of tiles, coloured by the prompt, the seed and what the
// picture is made from.
func paint(i *task.Image) ([][]byte, error) {
	if i.Format == "webp" {
		return nil, refused("The simulator cannot write WebP pictures. Ask for png or jpeg.")
	}
	of := i.Task + "\x00" + i.Prompt + "\x00" + i.Negative
	for _, s := range i.Sources {
		of += fmt.Sprintf("\x00%x", hash(string(s)))
	}
	images := make([][]byte, max(i.Count, 1))
	for n := range images {
		from := rand.New(rand.NewPCG(hash(of), mix(uint64(i.Seed))+uint64(n)))
		b, err := encodePicture(tiled(from, max(i.Width, 1), max(i.Height, 1)), i.Format)
		if err != nil {
			return nil, fmt.Errorf("write a picture: %w", err)
		}
		images[n] = b
	}
	return images, nil
}

func tiled(from *rand.Rand, width, height int) image.Image {
	var palette color.Palette
	for range tilesOnASide {
		c := from.Uint32()
		palette = append(palette, color.RGBA{uint8(c), uint8(c >> 8), uint8(c >> 16), 255})
	}
	picture := image.NewPaletted(image.Rect(0, 0, width, height), palette)
	for y := range tilesOnASide {
		for x := range tilesOnASide {
			tile := image.Rect(x*width/tilesOnASide, y*height/tilesOnASide, (x+1)*width/tilesOnASide, (y+1)*height/tilesOnASide)
			draw.Draw(picture, tile, image.NewUniform(palette[from.IntN(len(palette))]), image.Point{}, draw.Src)
		}
	}
	return picture
}

func encodePicture(p image.Image, format string) ([]byte, error) {
	var b bytes.Buffer
	if format == "jpeg" {
		err := jpeg.Encode(&b, p, &jpeg.Options{Quality: jpegQuality})
		return b.Bytes(), err
	}
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	err := encoder.Encode(&b, p)
	return b.Bytes(), err
}

// tiles adds the features of a picture: the colour of each of its tiles, in a
// few shades. One that cannot be read is its bytes' hash alone.
func tiles(v []float64, encoded converse.Base64) {
	raw, err := encoded.Bytes()
	config, _, bad := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil || bad != nil || config.Width < 1 || config.Height < 1 || config.Width > maxPixels/config.Height {
		feature(v, fmt.Sprintf("picture %x", hash(string(raw))), wordWeight)
		return
	}
	p, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		feature(v, fmt.Sprintf("picture %x", hash(string(raw))), wordWeight)
		return
	}
	bounds := p.Bounds()
	for y := range tilesOnASide {
		for x := range tilesOnASide {
			at := image.Pt(bounds.Min.X+(2*x+1)*bounds.Dx()/(2*tilesOnASide), bounds.Min.Y+(2*y+1)*bounds.Dy()/(2*tilesOnASide))
			r, g, b, _ := p.At(at.X, at.Y).RGBA()
			const shades = 13 // of 16 bits, eight are left of each colour
			feature(v, fmt.Sprintf("tile %d %d %d %d %d", x, y, r>>shades, g>>shades, b>>shades), wordWeight)
		}
	}
}
