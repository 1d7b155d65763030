// Command modelprune copies the facts of AWS service models out of an installed
// botocore: shapes, bindings, constraints and routes, without documentation.
// What it writes is committed, so that nobody needs botocore to build.
//
//	go run ./tools/modelprune -botocore "$(python3 -c 'import botocore,os;print(os.path.dirname(botocore.__file__))')"
package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"slices"
)

// services maps botocore's folder to the name of our file.
var services = []string{
	"bedrock", "bedrock-runtime", "sts", "ce", "iam", "logs", "cloudwatch",
	"bcm-data-exports", "budgets", "organizations", "service-quotas", "resourcegroupstaggingapi", "cloudtrail", "pricing", "cur",
}

// dropped are the members that carry prose or client-side conveniences only.
var dropped = []string{"documentation", "documentationUrl", "examples", "deprecatedMessage", "deprecatedSince", "clientContextParams", "staticContextParams", "contextParam", "operationContextParams", "endpointdiscovery"}

func main() {
	log.SetFlags(0)
	from := flag.String("botocore", "", "folder of the installed botocore package")
	to := flag.String("out", "awsapi/model", "folder to write to")
	flag.Parse()
	for _, name := range services {
		if err := prune(*from, name, *to); err != nil {
			log.Fatalf("modelprune: %s: %v", name, err)
		}
	}
}

func prune(botocore, name, out string) error {
	versions, err := filepath.Glob(filepath.Join(botocore, "data", name, "*", "service-2.json.gz"))
	if err != nil || len(versions) == 0 {
		return fmt.Errorf("no model under %s (is -botocore right?)", botocore)
	}
	slices.Sort(versions)
	f, err := os.Open(versions[len(versions)-1])
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(bufio.NewReader(f))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := copyValue(json.NewDecoder(z), &b, 0); err != nil {
		return err
	}
	b.WriteByte('\n')
	return os.WriteFile(filepath.Join(out, name+".json"), b.Bytes(), 0o644)
}

// copyValue copies one JSON value in its own order, leaving out what is
// dropped. Members down to depth two stand on lines of their own.
func copyValue(dec *json.Decoder, w *bytes.Buffer, depth int) error {
	dec.UseNumber()
	tok, err := dec.Token()
	if err != nil {
		return err
	}
	delim, ok := tok.(json.Delim)
	if !ok {
		return writeScalar(w, tok)
	}
	w.WriteString(delim.String())
	for first := true; dec.More(); {
		if delim == '{' {
			key, err := dec.Token()
			if err != nil {
				return err
			}
			// Below depth 2 a dropped word may be a member's own name,
			// which is an object; prose is a string.
			if slices.Contains(dropped, key.(string)) && dropNext(dec, w, key.(string), depth, &first) {
				continue
			}
			separate(w, first, depth)
			first = false
			if err := writeScalar(w, key); err != nil {
				return err
			}
			w.WriteByte(':')
		} else {
			separate(w, first, 9)
			first = false
		}
		if err := copyValue(dec, w, depth+1); err != nil {
			return err
		}
	}
	end, err := dec.Token()
	if err != nil {
		return err
	}
	if depth < 2 && delim == '{' {
		w.WriteByte('\n')
	}
	w.WriteString(end.(json.Delim).String())
	return nil
}

// dropNext reads the value after a dropped key. When that value shows the key
// to be a member's name (an object with a shape) it is written after all.
func dropNext(dec *json.Decoder, w *bytes.Buffer, key string, depth int, first *bool) bool {
	var raw json.RawMessage
	if err := dec.Decode(&raw); err != nil {
		log.Fatalf("modelprune: %v", err)
	}
	var member struct{ Shape string }
	if json.Unmarshal(raw, &member) != nil || member.Shape == "" {
		return true
	}
	separate(w, *first, depth)
	*first = false
	fmt.Fprintf(w, "%q:", key)
	if err := copyValue(json.NewDecoder(bytes.NewReader(raw)), w, depth+1); err != nil && err != io.EOF {
		log.Fatalf("modelprune: %v", err)
	}
	return true
}

func separate(w *bytes.Buffer, first bool, depth int) {
	if !first {
		w.WriteByte(',')
	}
	if depth < 2 {
		w.WriteByte('\n')
	}
}

func writeScalar(w *bytes.Buffer, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	w.Write(bytes.TrimRight(b.Bytes(), "\n"))
	return nil
}
