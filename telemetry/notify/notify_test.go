package notify

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"outcrop"
	"outcrop/budget"
)

func message(kind, address string) budget.Delivery {
	return budget.Delivery{Subscriber: budget.Subscriber{Type: kind, Address: address}, Subject: "Budget team-a: spending is above 80% of its limit", Text: "Budget team-a: 9 of 10.",
		Facts: budget.Facts{Account: "1", Budget: "team-a", Spent: outcrop.Dollars(9), Limit: outcrop.Dollars(10), Unit: "USD"}}
}

func TestAWebhookGetsTheFacts(t *testing.T) {
	var got map[string]any
	status := http.StatusNoContent
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &got); err != nil {
			t.Error(err)
		}
		w.WriteHeader(status)
	}))
	defer hook.Close()
	n := New(SMTP{})
	if err := n.Send(t.Context(), message("SNS", hook.URL)); err != nil {
		t.Fatal(err)
	}
	if got["budgetName"] != "team-a" || got["actualSpend"] != "9" || got["text"] != "Budget team-a: 9 of 10." {
		t.Errorf("%v", got)
	}
	status = http.StatusBadGateway
	if err := n.Send(t.Context(), message("SNS", hook.URL)); err == nil || !strings.Contains(err.Error(), "502") {
		t.Errorf("err = %v, want the status", err)
	}
	status = http.StatusOK
	other := message("SNS", hook.URL)
	other.Body = json.RawMessage(`{"subject":"Cost anomalies"}`)
	clear(got)
	if err := n.Send(t.Context(), other); err != nil || got["subject"] != "Cost anomalies" || got["budgetName"] != nil {
		t.Errorf("%v, %v", got, err)
	}
	if err := n.Send(t.Context(), message("SNS", "arn:aws:sns:us-east-1:1:topic")); err != nil {
		t.Errorf("a topic: %v", err)
	}
}

func TestAWebhooksAddressStaysSecret(t *testing.T) {
	for _, address := range []string{"http://127.0.0.1:1/secret", "http://[::1]:namedport/secret"} {
		if err := New(SMTP{}).Send(t.Context(), message("SNS", address)); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("err = %v", err)
		}
	}
}

// mailbox is a mail server that takes one message.
func mailbox(t *testing.T) (address string, got chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	got = make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		in, all := bufio.NewScanner(c), ""
		fmt.Fprint(c, "220 mail\r\n")
		for data := false; in.Scan(); {
			all += in.Text() + "\n"
			switch line := in.Text(); {
			case data && line == ".":
				data = false
				fmt.Fprint(c, "250 taken\r\n")
			case data:
			case line == "DATA":
				data = true
				fmt.Fprint(c, "354 go on\r\n")
			case line == "QUIT":
				fmt.Fprint(c, "221 bye\r\n")
				got <- all
				return
			default:
				fmt.Fprint(c, "250 ok\r\n")
			}
		}
	}()
	return l.Addr().String(), got
}

func TestAMailIsHandedOver(t *testing.T) {
	address, got := mailbox(t)
	n := New(SMTP{Address: address, From: "outcrop@example.com"})
	if err := n.Send(t.Context(), message("EMAIL", "ann@example.com")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"MAIL FROM:<outcrop@example.com>", "RCPT TO:<ann@example.com>", "Subject: Budget team-a", "9 of 10."} {
		if all := <-got; !strings.Contains(all, want) {
			t.Errorf("%q lacks %q", all, want)
		} else {
			got <- all
		}
	}
	if err := New(SMTP{}).Send(t.Context(), message("EMAIL", "ann@example.com")); err == nil || !strings.Contains(err.Error(), "budgets.smtp") {
		t.Errorf("without a server: %v", err)
	}
}
