package budget

import (
	"context"
	"encoding/json"
	"net/mail"
	"net/url"
	"time"

	"outcrop"
)

// A Delivery is one message to one subscriber, kept on disk until it is sent.
type Delivery struct {
	ID         int64 `json:"-"`
	Subscriber Subscriber
	Subject    string
	Text       string
	Facts      Facts
	Body       json.RawMessage `json:",omitempty"` // what a webhook gets in place of Facts, for messages that are not about a budget
	Attempts   int
	Due        time.Time
}

// Facts are the message as a webhook gets it.
type Facts struct {
	Account    outcrop.AccountID `json:"accountId"`
	Budget     string            `json:"budgetName"`
	Kind       string            `json:"notificationType"`
	Threshold  float64           `json:"threshold"`
	Absolute   bool              `json:"thresholdIsAbsolute"`
	Spent      outcrop.Money     `json:"actualSpend"`
	Forecast   outcrop.Money     `json:"forecastedSpend"`
	Limit      outcrop.Money     `json:"budgetLimit"`
	Unit       string            `json:"unit"`
	Start, End time.Time         `json:"-"`
}

// A Sender brings a message to its subscriber. It is tried again on an error.
type Sender interface {
	Send(context.Context, Delivery) error
}

// Deliveries are messages that wait. They outlive the process.
type Deliveries interface {
	QueueDeliveries(context.Context, []Delivery) error
	// DueDeliveries returns up to limit messages whose time has come, oldest
	// first.
	DueDeliveries(ctx context.Context, now time.Time, limit int) ([]Delivery, error)
	PutDelivery(context.Context, Delivery) error // after a failed attempt
	DropDelivery(ctx context.Context, id int64) error
}

// How a message is tried again: after 10 s, 20 s and so on, up to an hour, and
// given up after a day and a half.
const (
	firstRetry       = 10 * time.Second
	longestRetry     = time.Hour
	maxAttempts      = 44
	deliveriesAtOnce = 20
	sendTimeout      = 20 * time.Second
	deliverEvery     = 5 * time.Second
)

func (s Subscriber) check() error {
	switch s.Type {
	case "EMAIL":
		if a, err := mail.ParseAddress(s.Address); err != nil || a.Address != s.Address {
			return invalid("An EMAIL subscriber needs an e-mail address.")
		}
		return nil
	case "SNS":
		if topic, ok := outcrop.ParseARN(s.Address); ok && topic.Service == "sns" {
			return nil // there is no topic to send to: it is logged
		}
		if u, err := url.Parse(s.Address); err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
			return nil
		}
		return invalid("The Address of an SNS subscriber is the ARN of a topic, or the http or https URL of a webhook.")
	}
	return invalid("SubscriptionType %q is invalid. Use EMAIL or SNS.", s.Type)
}

// Tell sends messages of others: logged, kept until they are sent, and tried
// again, as those about budgets are.
func (b *Budgets) Tell(ctx context.Context, messages []Delivery) error { return b.queue(ctx, messages) }

// queue keeps messages for the sender, and logs them in any case.
func (b *Budgets) queue(ctx context.Context, messages []Delivery) error {
	if len(messages) == 0 {
		return nil
	}
	now := b.options.Now()
	for i := range messages {
		messages[i].Due = now
	}
	about := []any{"subscribers", len(messages)}
	if f := messages[0].Facts; f.Budget != "" {
		about = append(about, "budget", f.Budget, "account", f.Account)
	}
	b.options.Log.Warn(messages[0].Text, about...)
	if b.options.Sender == nil {
		return nil
	}
	if err := b.store.QueueDeliveries(ctx, messages); err != nil {
		return err
	}
	select {
	case b.due <- struct{}{}:
	default:
	}
	return nil
}

// Deliver sends what waits, until ctx ends.
func (b *Budgets) Deliver(ctx context.Context) {
	if b.options.Sender == nil {
		return
	}
	tick := time.NewTicker(deliverEvery)
	defer tick.Stop()
	for {
		if err := b.deliverDue(ctx); err != nil && ctx.Err() == nil {
			b.options.Log.Error("budgets: messages cannot be read, will try again", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-b.due:
		}
	}
}

func (b *Budgets) deliverDue(ctx context.Context) error {
	list, err := b.store.DueDeliveries(ctx, b.options.Now(), deliveriesAtOnce)
	if err != nil {
		return err
	}
	for _, d := range list {
		if err := b.deliver(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// deliver sends one message, or says when it is tried again.
func (b *Budgets) deliver(ctx context.Context, d Delivery) error {
	sending, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	err := b.options.Sender.Send(sending, d)
	if ctx.Err() != nil {
		return nil // it is sent after the next start
	}
	if err == nil {
		return b.store.DropDelivery(ctx, d.ID)
	}
	d.Attempts++
	if d.Attempts >= maxAttempts {
		b.options.Log.Error("a message could not be sent and is given up", "subject", d.Subject, "to", d.Subscriber.Type, "err", err)
		return b.store.DropDelivery(ctx, d.ID)
	}
	d.Due = b.options.Now().Add(min(firstRetry<<min(d.Attempts-1, 12), longestRetry))
	if d.Attempts == 1 {
		b.options.Log.Warn("a message could not be sent, will try again", "subject", d.Subject, "to", d.Subscriber.Type, "err", err)
	}
	return b.store.PutDelivery(ctx, d)
}
