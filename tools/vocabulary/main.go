// Command vocabulary packs the o200k_base vocabulary that the tokenizer's
// module brings into the file that package o200k embeds:
//
//	go run ./tools/vocabulary
//
// The module spends 24 bytes of program on every token of four vocabularies;
// of those we want one, and seldom. The packed file is committed.
package main

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"os"

	"github.com/tiktoken-go/tokenizer"
)

// tokens is how many the vocabulary has beside the special ones, by rank.
const tokens = 199_998

func main() {
	out := flag.String("out", "internal/o200k/vocabulary.gz", "file to write")
	flag.Parse()
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, "vocabulary:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	codec, err := tokenizer.Get(tokenizer.O200kBase)
	if err != nil {
		return err
	}
	packed, err := pack(func(rank uint) (string, error) { return codec.Decode([]uint{rank}) })
	if err != nil {
		return err
	}
	return os.WriteFile(out, packed, 0o644)
}

// pack writes each token behind its length, in the order of ranks.
func pack(decode func(rank uint) (string, error)) ([]byte, error) {
	var file bytes.Buffer
	z, err := gzip.NewWriterLevel(&file, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	for rank := range uint(tokens) {
		token, err := decode(rank)
		if err != nil {
			return nil, err
		}
		if len(token) == 0 || len(token) > 255 {
			return nil, fmt.Errorf("token %d has %d bytes", rank, len(token))
		}
		if _, err := z.Write(append([]byte{byte(len(token))}, token...)); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return file.Bytes(), nil
}
