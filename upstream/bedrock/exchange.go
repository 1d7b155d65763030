package bedrock

import (
	"context"
	"net/http"
	"time"

	"outcrop"
	"outcrop/sigv4"
	"outcrop/upstream"
)

// An operationOf is what an address is made of.
type operationOf struct {
	region           outcrop.Region
	model, operation string
}

// post addresses a request.
func (u *Upstream) post(a outcrop.Attempt, model, operation string, body []byte) (upstream.Post, error) {
	address, err := u.addresses.Get(operationOf{a.Destination.Region, model, operation}, u.config.address)
	if err != nil {
		return upstream.Post{}, u.host.Failed(a, 0, "The model's Region has a wrong address. Tell the operator.").Because(err)
	}
	return upstream.Post{URL: address, Attempt: a, Body: body}, nil
}

// ask posts body and reads the whole answer, which is JSON.
func (u *Upstream) ask(ctx context.Context, a outcrop.Attempt, model, operation string, body []byte) ([]byte, error) {
	p, err := u.post(a, model, operation, body)
	if err != nil {
		return nil, err
	}
	return u.host.Ask(ctx, u.config.Timeout, p)
}

// sign signs a request for the Region it goes to. The invocation's name goes
// where SDKs put theirs, too, so that both sides' logs meet.
func (u *Upstream) sign(r *http.Request, p *upstream.Post, room *sigv4.Room) error {
	if id := r.Header["X-Request-Id"]; id != nil {
		r.Header["Amz-Sdk-Invocation-Id"] = id
	}
	by, bearer, err := u.keys.now(r.Context())
	if err != nil {
		return u.host.Unsent(p, "Outcrop has no AWS credentials for the model's Region %s. Tell the operator.", p.Attempt.Destination.Region).Because(err)
	}
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
		return nil
	}
	scope := sigv4.Scope{Region: p.Attempt.Destination.Region, Service: "bedrock"}
	digest := p.Digest
	if digest == "" {
		digest = sigv4.PayloadHash(p.Body)
	}
	if err := room.Sign(r, digest, by, scope, time.Now()); err != nil {
		return u.host.Unsent(p, "The call to the model's Region could not be signed. Tell the operator.").Because(err)
	}
	return nil
}
