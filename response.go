package outcrop

import (
	"encoding/json"
	"time"
)

// A StoredResponse is an answer of OpenAI's responses API that can be asked for
// again, and go on in the next one.
type StoredResponse struct {
	ID      string
	Account AccountID
	Region  Region
	Created time.Time
	Object  json.RawMessage   // the response
	Input   []json.RawMessage // items that it was asked with, those of earlier responses included
	Output  []json.RawMessage // items that it answered
}
