package wire

import (
	"net/http"
	"strings"
	"testing"
)

// stsLike is a small query service.
const stsLike = `{"metadata":{"protocol":"query","apiVersion":"2011-06-15","xmlNamespace":"https://sts.amazonaws.com/doc/2011-06-15/"},
"operations":{"Op":{"name":"Op","http":{"method":"POST","requestUri":"/"},"input":{"shape":"In"},"output":{"shape":"In","resultWrapper":"OpResult"}}},
"shapes":{"In":{"type":"structure","members":{"Name":{"shape":"S"},"Tags":{"shape":"Tags"},"Count":{"shape":"N"},"Nested":{"shape":"In"}}},
"Tags":{"type":"list","member":{"shape":"Tag"}},"Tag":{"type":"structure","members":{"Key":{"shape":"S"},"Value":{"shape":"S"}}},
"S":{"type":"string"},"N":{"type":"integer"}}}`

func stsOp(t testing.TB) *Operation {
	t.Helper()
	svc, err := Load([]byte(stsLike))
	if err != nil {
		t.Fatal(err)
	}
	return svc.Operation("Op")
}

func decodeForm(t testing.TB, form string) (map[string]any, error) {
	return Query{}.Decode(stsOp(t), &Request{Method: "POST", Body: []byte(form), Header: http.Header{}})
}

func TestQueryRefusesWhatItCannotRead(t *testing.T) {
	for _, form := range []string{"Count=many", "Name=%zz", strings.Repeat("Nested.", maxQueryDepth+1) + "Name=x"} {
		if _, err := decodeForm(t, form); err == nil {
			t.Errorf("%.40s was accepted", form)
		}
	}
}

func TestQueryAnswersCarryTheRequestIDAndEscape(t *testing.T) {
	w := &Response{Header: http.Header{"X-Amzn-Requestid": {"id-1"}}}
	out := map[string]any{"Name": "<a & b>", "Tags": []any{map[string]any{"Key": "k", "Value": ""}}}
	if err := (Query{}).Encode(stsOp(t), out, w); err != nil {
		t.Fatal(err)
	}
	want := `<OpResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><OpResult><Name>&lt;a &amp; b&gt;</Name><Tags><member><Key>k</Key><Value></Value></member></Tags></OpResult><ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></OpResponse>`
	if string(w.Body) != want {
		t.Errorf("answer\n got %s\nwant %s", w.Body, want)
	}
}

func FuzzQuery(f *testing.F) {
	f.Add("Action=Op&Name=x&Tags.member.1.Key=a&Tags.member.2.Value=b&Nested.Nested.Count=3")
	f.Add("Tags=&Tags.member.-1.Key=x&Tags.member.99999999999999999999=y&Nested=x")
	f.Fuzz(func(t *testing.T, form string) {
		tree, err := decodeForm(t, form)
		if err != nil {
			return
		}
		w := &Response{Header: http.Header{}}
		if err := (Query{}).Encode(stsOp(t), tree, w); err != nil {
			t.Errorf("what was read cannot be written: %v", err)
		}
		readXML(t, w.Body)
	})
}

func FuzzCBOR(f *testing.F) {
	f.Add([]byte("\xbf\x64Name\x61x\xff"))
	f.Add([]byte("\xa1\x64Tags\x9f\xa1\x63Key\x61k\xff"))
	f.Fuzz(func(t *testing.T, body []byte) {
		tree, err := RPCv2CBOR{}.Decode(stsOp(t), &Request{Method: "POST", Body: body, Header: http.Header{}})
		if err != nil {
			return
		}
		w := &Response{Header: http.Header{}}
		if err := (RPCv2CBOR{}).Encode(stsOp(t), tree, w); err != nil {
			t.Errorf("what was read cannot be written: %v", err)
		}
	})
}

// The vectors that the Go SDK's CloudWatch client sent and took
// (reference/runtime-metering-billing.md §5.4).
func TestCBORReadsWhatTheGoSDKSends(t *testing.T) {
	svc, err := Load([]byte(`{"metadata":{"protocol":"smithy-rpc-v2-cbor"},"operations":{"ListMetrics":{"name":"ListMetrics","http":{"method":"POST","requestUri":"/"},"input":{"shape":"In"}}},
		"shapes":{"In":{"type":"structure","members":{"Namespace":{"shape":"S"}}},"S":{"type":"string"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]any{"\xbf\x69Namespace\x6bAWS/Bedrock\xff": "AWS/Bedrock", "\xbf\xff": nil, "": nil} {
		tree, err := RPCv2CBOR{}.Decode(svc.Operation("ListMetrics"), &Request{Method: "POST", Body: []byte(body), Header: http.Header{}})
		if err != nil || tree["Namespace"] != want {
			t.Errorf("%x: tree %v, err %v; want namespace %v", body, tree, err, want)
		}
	}
}
