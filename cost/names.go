package cost

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"unicode"

	"outcrop"
)

// regionCodes are the prefixes of usage types (reference §7.1, and the codes
// that AWS bills show for Regions it does not list).
var regionCodes = map[outcrop.Region]string{
	"us-east-1": "USE1", "us-east-2": "USE2", "us-west-1": "USW1", "us-west-2": "USW2",
	"ca-central-1": "CAN1", "ca-west-1": "CAN2", "mx-central-1": "MXC1", "sa-east-1": "SAE1",
	"eu-west-1": "EUW1", "eu-west-2": "EUW2", "eu-west-3": "EUW3", "eu-central-1": "EUC1", "eu-central-2": "EUC2",
	"eu-north-1": "EUN1", "eu-south-1": "EUS1", "eu-south-2": "EUS2",
	"ap-northeast-1": "APN1", "ap-northeast-2": "APN2", "ap-northeast-3": "APN3", "ap-east-1": "APE1",
	"ap-southeast-1": "APS1", "ap-southeast-2": "APS2", "ap-south-1": "APS3", "ap-southeast-3": "APS4",
	"ap-south-2": "APS5", "ap-southeast-4": "APS6", "ap-southeast-5": "APS7",
	"me-south-1": "MES1", "me-central-1": "MEC1", "il-central-1": "ILC1", "af-south-1": "AFS1",
	"us-gov-west-1": "UGW1", "us-gov-east-1": "UGE1",
}

// regionCode of a Region that AWS does not have is its name without hyphens:
// "DCBERLIN1" for dc-berlin-1.
func regionCode(r outcrop.Region) string {
	if code, ok := regionCodes[r]; ok {
		return code
	}
	return strings.ToUpper(strings.ReplaceAll(string(r), "-", ""))
}

// sellers are the providers whose models AWS sells on AWS Marketplace, with
// the legal entity a bill shows (reference §7.1; control-plane §3). All other
// models are sold by Amazon itself.
var sellers = map[string]string{
	"anthropic": "Anthropic, PBC", "cohere": "Cohere Inc.", "ai21": "AI21 Labs", "stability": "Stability AI",
	"writer": "Writer, Inc.", "twelvelabs": "TwelveLabs, Inc.", "luma": "Luma AI, Inc.",
}

func provider(m outcrop.ModelID) string {
	p, _, _ := strings.Cut(string(m), ".")
	return p
}

// A modelName is a model id taken apart. Names are derived from the id and
// nothing else: a catalogue that renames a model must not rename old bills.
type modelName struct {
	stem    string   // id without provider, date, edition and ":0"
	parts   []string // of the stem, numbers that follow each other joined: "claude", "sonnet", "4.6"
	edition string   // "v2", when the id ends in more than -v1
}

func nameOf(m outcrop.ModelID) modelName {
	_, stem, ok := strings.Cut(string(m), ".")
	if !ok {
		stem = string(m)
	}
	stem, _, colon := strings.Cut(stem, ":")
	parts := strings.Split(stem, "-")
	var n modelName
	if last := parts[len(parts)-1]; len(parts) > 1 && editionMark(last, colon) {
		parts = parts[:len(parts)-1]
		if last != "v1" && last != "1" {
			n.edition = last
		}
	}
	if last := parts[len(parts)-1]; len(parts) > 1 && len(last) == len("20250929") && digits(last) {
		parts = parts[:len(parts)-1]
	}
	n.stem = strings.Join(parts, "-")
	for i, part := range parts {
		if i > 0 && digits(part) && digits(parts[i-1]) {
			n.parts[len(n.parts)-1] += "." + part
			continue
		}
		n.parts = append(n.parts, part)
	}
	return n
}

// editionMark says whether the last part of an id counts its editions: "v2",
// or a bare "1" as in openai.gpt-oss-120b-1:0.
func editionMark(last string, colon bool) bool {
	number, v := strings.CutPrefix(last, "v")
	return digits(number) && (v || colon)
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// compact is the name inside a usage type: NovaLite, Nova2.0Lite,
// Claude4.6Sonnet, always with the version second. Names of other providers
// stay as they are: gpt-oss-120b, embed-english-v3.
func (n modelName) compact(provider string) string {
	if provider != "amazon" && provider != "anthropic" {
		return n.stem + pick(n.edition == "", "", "-"+n.edition)
	}
	var words []string
	version := ""
	for _, part := range n.parts {
		if version == "" && part != "" && part[0] >= '1' && part[0] <= '9' {
			version = part
			continue
		}
		words = append(words, title(part))
	}
	if provider == "amazon" && version != "" && !strings.Contains(version, ".") {
		version += ".0"
	}
	words = append(words, "")
	words[0] += version
	return strings.Join(words, "") + n.edition
}

// display is the name inside a Marketplace service, in the order of the id:
// "Claude Sonnet 4.6", "Claude 3.5 Sonnet v2".
func (n modelName) display() string {
	var words []string
	for _, part := range n.parts {
		words = append(words, title(part))
	}
	if n.edition != "" {
		words = append(words, n.edition)
	}
	return strings.Join(words, " ")
}

func title(word string) string {
	r := []rune(word)
	if len(r) == 0 {
		return word
	}
	return string(unicode.ToUpper(r[0])) + string(r[1:])
}

// productCode stands for the opaque id that a Marketplace product has.
func productCode(m outcrop.ModelID) string {
	sum := sha256.Sum256([]byte(m))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:25])
}
