package upstream

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"outcrop/internal/h1"
	"outcrop/sigv4"
)

// A journey is a request on its way, with all that it needs. After an answer,
// whole or streamed, its memory is used again, where nobody else can have kept
// any of it.
type journey struct {
	watch    *Watch
	request  *http.Request // its context is the watch's, its header the next
	header   http.Header
	values   [2]string // room for the header's
	post     Post
	body     h1.Body
	signing  sigv4.Room
	response *http.Response
	own      bool // no transport but the host's own has seen it
}

var journeys = sync.Pool{New: func() any { return newJourney() }}

func newJourney() *journey {
	j := &journey{watch: new(Watch), header: make(http.Header, 8)}
	j.request = (&http.Request{Method: http.MethodPost, Header: j.header}).WithContext(&j.watch.line)
	// Lets the transport replace an idle connection that the server has closed,
	// when nothing was written to it.
	j.request.GetBody = func() (io.ReadCloser, error) { return h1.NewBody(j.post.Body), nil }
	return j
}

// depart begins a journey that takes no longer than limit. It must be ended.
func depart(ctx context.Context, limit time.Duration, p *Post) *journey {
	j := journeys.Get().(*journey)
	j.post = *p
	j.watch.start(ctx, limit)
	return j
}

// A place is an address as requests need it.
type place struct {
	url  *url.URL
	path string // and query, as they are sent
}

func placeOf(text string) (place, error) {
	u, err := url.Parse(text)
	if err != nil {
		return place{}, err
	}
	return place{u, u.RequestURI()}, nil
}

// load makes the request that the post is.
func (j *journey) load(own http.Header, to place) {
	r, p := j.request, &j.post
	r.URL, r.Host, r.RequestURI = to.url, to.url.Host, to.path
	j.body = *h1.NewBody(p.Body)
	r.Body, r.ContentLength = &j.body, int64(len(p.Body))
	clear(j.header)
	for name, values := range own {
		j.header[name] = values
	}
	for name, value := range p.Header {
		j.header.Set(name, value)
	}
	if id := p.Attempt.Invocation; id != "" {
		j.values[0] = string(id)
		j.header["X-Request-Id"] = j.values[0:1:1]
	}
}

// end ends the journey.
func (j *journey) end() {
	alone := false
	if res := j.response; res != nil {
		res.Body.Close()
		alone = j.own && res.StatusCode == http.StatusOK && h1.Recycle(res)
		j.response = nil
	}
	if j.watch.stop() && alone {
		j.post.Room.Return()
		*j.watch = Watch{}
		j.post, j.body = Post{}, h1.Body{}
		journeys.Put(j)
	}
}

// A Room is memory for a body, which is used again.
type Room struct{ Bytes []byte }

// maxRoom is the largest that is kept.
const maxRoom = 64 << 10

var rooms = sync.Pool{New: func() any { return &Room{make([]byte, 0, 4<<10)} }}

// Borrow gives an empty room.
func Borrow() *Room { return rooms.Get().(*Room) }

// Return gives it back. Nobody may know of its bytes any more.
func (r *Room) Return() {
	if r != nil && cap(r.Bytes) <= maxRoom {
		r.Bytes = r.Bytes[:0]
		rooms.Put(r)
	}
}
