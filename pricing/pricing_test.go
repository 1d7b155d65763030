package pricing

import (
	"testing"
	"time"
)

func TestX(t *testing.T) {
	b, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	q := b.Quote(Query{Model: "amazon.nova-lite-v1:0", Geography: "us", Region: "us-east-1", At: time.Now(), Tier: "flex"})
	t.Logf("%+v", q)
}
