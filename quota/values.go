package quota

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"outcrop"
)

// A Quota is one line of Service Quotas: a limit of a model in a class.
type Quota struct {
	Code     string // L-AD940EDE
	Name     string
	Model    outcrop.ModelID
	Class    outcrop.ProfileClass
	Of       Dimension
	Default  float64
	Evidence string // where Default is from
}

// Book lists every quota there is, in order of name. It is immutable.
type Book struct {
	list   []Quota
	byCode map[string]*Quota
	byKey  map[place]*Quota
}

type place struct {
	model outcrop.ModelID
	class outcrop.ProfileClass
	of    Dimension
}

// A Model is what a Book has to know of a model.
type Model struct {
	ID       outcrop.ModelID
	Name     string // "Amazon Nova Lite", as quota names say it
	Classes  []outcrop.ProfileClass
	Requests float64 // per minute, across Regions of a geography; 0 when the model has no such quota
	Tokens   float64
	Evidence string
}

// codes are those of AWS that are known; others are derived from their names.
var codes = map[string]string{
	"On-demand model inference requests per minute for Amazon Nova Lite":             "L-E386A278",
	"On-demand model inference tokens per minute for Amazon Nova Lite":               "L-70423BF8",
	"Cross-region model inference requests per minute for Amazon Nova Lite":          "L-89F8391A",
	"Global cross-region model inference requests per minute for Amazon Nova 2 Lite": "L-AD940EDE",
}

// onDemandPart is what a model gets in one Region, of what it gets across
// Regions: AWS doubles the latter.
const onDemandPart = 0.5

// minutesPerDay is how many minutes' worth a day's quota is, by AWS's default.
const minutesPerDay = 1440

// NewBook lists the quotas of models.
func NewBook(models []Model) *Book {
	b := &Book{byCode: map[string]*Quota{}, byKey: map[place]*Quota{}}
	for _, m := range models {
		for _, class := range m.Classes {
			part := 1.0
			if class == outcrop.InRegion {
				part = onDemandPart
			}
			if m.Requests > 0 {
				b.add(m, class, Requests, m.Requests*part)
			}
			b.add(m, class, Tokens, m.Tokens*part)
			b.add(m, class, DailyTokens, m.Tokens*part*minutesPerDay)
		}
	}
	slices.SortFunc(b.list, func(x, y Quota) int { return strings.Compare(x.Name, y.Name) })
	for i := range b.list {
		q := &b.list[i]
		for b.byCode[q.Code] != nil { // two names of one code would be one quota
			q.Code = codeOf(q.Name + " of " + string(q.Model) + q.Code)
		}
		b.byCode[q.Code], b.byKey[place{q.Model, q.Class, q.Of}] = q, q
	}
	return b
}

func (b *Book) add(m Model, class outcrop.ProfileClass, of Dimension, value float64) {
	name := nameOf(class, of) + m.Name
	b.list = append(b.list, Quota{Code: codeOf(name), Name: name, Model: m.ID, Class: class, Of: of, Default: value, Evidence: m.Evidence})
}

// nameOf is how AWS begins the quota's name (reference §8.1).
func nameOf(class outcrop.ProfileClass, of Dimension) string {
	head := map[outcrop.ProfileClass]string{outcrop.InRegion: "On-demand", outcrop.Geographic: "Cross-region", outcrop.GlobalClass: "Global cross-region"}[class]
	switch of {
	case Requests:
		return head + " model inference requests per minute for "
	case Tokens:
		return head + " model inference tokens per minute for "
	}
	return head + " model inference tokens per day for "
}

// codeOf is AWS's code of a quota or, where that is not known, one of the same
// form that its name always gives.
func codeOf(name string) string {
	if code, ok := codes[name]; ok {
		return code
	}
	sum := sha256.Sum256([]byte(name))
	return fmt.Sprintf("L-%08X", binary.BigEndian.Uint32(sum[:]))
}

// List is every quota, in order of name.
func (b *Book) List() []Quota { return b.list }

// Find finds a quota by code.
func (b *Book) Find(code string) (*Quota, bool) {
	q, ok := b.byCode[code]
	return q, ok
}

// A Set is a value that an account has set in a Region.
type Set struct {
	Account outcrop.AccountID
	Region  outcrop.Region
	Code    string
}

// A Request is somebody's wish for another value.
type Request struct {
	ID string
	Set
	Value            float64
	Status           string // PENDING, APPROVED or DENIED
	Who              outcrop.ARN
	Created, Updated time.Time
}

// Store keeps values and requests.
type Store interface {
	QuotaValues(context.Context) (map[Set]float64, error)
	// PutQuotaRequest keeps a request and, once it is approved, its value.
	PutQuotaRequest(context.Context, Request) error
	QuotaRequests(context.Context, outcrop.AccountID, outcrop.Region) ([]Request, error) // newest first
}

// An Enforcement says which quotas hold calls.
type Enforcement string

// The enforcements.
const (
	EnforceSet Enforcement = "set" // those that somebody has set a value for
	EnforceAWS Enforcement = "aws" // all, with AWS's defaults where nothing is set
	EnforceOff Enforcement = "off" // none; they are kept and shown all the same
)

// Values are the quotas of every account and Region.
type Values struct {
	book    func() *Book
	store   Store
	enforce Enforcement

	changing sync.Mutex
	set      atomic.Pointer[map[Set]float64]
}

// OpenValues reads what was set.
func OpenValues(ctx context.Context, book func() *Book, store Store, e Enforcement) (*Values, error) {
	v := &Values{book: book, store: store, enforce: e}
	set, err := store.QuotaValues(ctx)
	if err != nil {
		return nil, fmt.Errorf("read quotas: %w", err)
	}
	v.set.Store(&set)
	return v, nil
}

// Book is the list of quotas as it is now.
func (v *Values) Book() *Book { return v.book() }

// Value is what a quota is for an account in a Region; isSet says that it is
// not the default.
func (v *Values) Value(a outcrop.AccountID, r outcrop.Region, q *Quota) (value float64, isSet bool) {
	if value, ok := (*v.set.Load())[Set{a, r, q.Code}]; ok {
		return value, true
	}
	return q.Default, false
}

// Limits are what holds calls that a counter counts.
func (v *Values) Limits(k Key) (l Limits) {
	if v.enforce == EnforceOff {
		return l
	}
	book := v.book()
	for _, d := range []struct {
		of Dimension
		to *Limit
	}{{Requests, &l.Requests}, {Tokens, &l.Tokens}, {DailyTokens, &l.DailyTokens}} {
		q := book.byKey[place{k.Model, k.Class, d.of}]
		if q == nil {
			continue
		}
		if value, isSet := v.Value(k.Account, k.Region, q); isSet || v.enforce == EnforceAWS {
			*d.to = To(uint64(value))
		}
	}
	return l
}

// Put keeps a request, whose value holds from now on if it is approved.
func (v *Values) Put(ctx context.Context, r Request) error {
	v.changing.Lock()
	defer v.changing.Unlock()
	if err := v.store.PutQuotaRequest(ctx, r); err != nil {
		return err
	}
	if r.Status != Approved {
		return nil
	}
	next := map[Set]float64{r.Set: r.Value}
	for k, value := range *v.set.Load() {
		if k != r.Set {
			next[k] = value
		}
	}
	v.set.Store(&next)
	return nil
}

// Requests of an account in a Region, newest first.
func (v *Values) Requests(ctx context.Context, a outcrop.AccountID, r outcrop.Region) ([]Request, error) {
	return v.store.QuotaRequests(ctx, a, r)
}

// The states of a request that are used.
const (
	Waiting  = "PENDING"
	Approved = "APPROVED"
	Refused  = "DENIED"
)
