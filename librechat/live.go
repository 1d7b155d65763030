package librechat

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"outcrop"
	"outcrop/access"
	"outcrop/sigv4"
)

// A live is what the examination knows of the endpoint.
type live struct {
	runtime *url.URL // where LibreChat's calls go
	client  *access.Client
	reached bool      // a connection was made
	date    time.Time // the endpoint's clock
	who     outcrop.ARN
	called  map[string]bool // models that answered
}

// dialTimeout bounds one attempt to connect.
const dialTimeout = 10 * time.Second

// reach finds the endpoint and the keys to call it with. It is nil, with the
// reason told, where there is nobody to ask.
func (p *patient) reach() *live {
	if p.live != nil {
		return p.live
	}
	region := outcrop.Region(p.env.get(varRegion))
	if region == "" {
		region = "us-east-1"
	}
	p.live = &live{called: map[string]bool{}}
	runtime := p.runtimeURL(region)
	u, err := url.Parse(runtime)
	if err != nil {
		return p.live
	}
	p.live.runtime = u
	c := &access.Client{Endpoint: strings.TrimRight(p.Endpoint, "/"), Region: region, HTTP: p.client()}
	if p.Endpoint == "" {
		base := strings.TrimRight(runtime, "/")
		c.Endpoint = base
		if strings.HasSuffix(u.Host, ".amazonaws.com") {
			c.At = awsEndpoint
		}
	}
	if k := p.keys(); k != nil {
		c.Keys, c.Bearer = k.Credentials, k.Bearer
		p.live.client = c
	}
	return p.live
}

// runtimeURL is where the SDK inside LibreChat would send its calls.
func (p *patient) runtimeURL(region outcrop.Region) string {
	ignored := strings.EqualFold(p.env.get(varIgnore), "true")
	switch {
	case p.Endpoint != "":
		return p.Endpoint
	case p.env.get(varProxy) != "" && !strings.Contains(p.env.get(varProxy), "://"):
		return "https://" + p.env.get(varProxy)
	case p.env.get(varRuntime) != "" && !ignored:
		return p.env.get(varRuntime)
	case p.env.get(varAll) != "" && !ignored:
		return p.env.get(varAll)
	}
	return awsEndpoint("bedrock-runtime", region)
}

// awsEndpoint is where AWS answers for a service.
func awsEndpoint(service string, region outcrop.Region) string {
	switch service {
	case "iam":
		return "https://iam.amazonaws.com"
	case "ce":
		return "https://ce.us-east-1.amazonaws.com"
	}
	return "https://" + service + "." + string(region) + ".amazonaws.com"
}

// keys are LibreChat's own, by its precedence.
func (p *patient) keys() *Keys {
	value := func(name string) string {
		if v := p.env.get(name); v != asked {
			return v
		}
		return ""
	}
	switch {
	case value(varSDKKey) != "":
		return &Keys{Bearer: value(varSDKKey)}
	case value(varBearer) != "":
		return &Keys{Bearer: value(varBearer)}
	case value(varKey) != "" && value(varSecret) != "":
		return &Keys{Credentials: sigv4.Credentials{AccessKey: value(varKey), Secret: value(varSecret), SessionToken: value(varToken)}}
	case p.Ambient != nil && p.env.get(varKey) != asked && p.env.get(varBearer) != asked:
		return p.Ambient(p.env.get(varProfile))
	}
	return nil
}

// callTimeout bounds one call, with what a model has to say.
const callTimeout = 2 * time.Minute

// client trusts what Node would, unless the caller brought one.
func (p *patient) client() *http.Client {
	if p.HTTP == nil {
		roots, _ := p.roots() // LC40 tells what is wrong with them
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
		p.HTTP = &http.Client{Transport: transport, Timeout: callTimeout}
	}
	return p.HTTP
}

// asker is who may ask the control plane: Outcrop's administrator where the
// examination has its keys, else LibreChat itself.
func (p *patient) asker(region outcrop.Region) *access.Client {
	c := p.Admin
	if c == nil {
		c = p.reach().client
	}
	if c == nil {
		p.undecided("no credentials to ask with: name them in %s, or give --data of the running Outcrop.", p.EnvName)
		return nil
	}
	there := *c
	if region != "" {
		there.Region = region
	}
	return &there
}

// signer is an asker of other services than Bedrock, which take no API keys.
func (p *patient) signer(region outcrop.Region) *access.Client {
	c := p.asker(region)
	if c != nil && c.Keys.AccessKey == "" {
		p.undecided("a Bedrock API key may ask Bedrock alone: give --data of the running Outcrop, whose administrator may ask the rest.")
		return nil
	}
	return c
}

// unable tells why a question was not answered, where that is no finding.
func (p *patient) unable(err error, what string) bool {
	var f *access.Failure
	switch {
	case err == nil:
		return false
	case !errors.As(err, &f):
		p.undecided("%s: the endpoint cannot be reached (%v).", what, err)
	case f.Code == "AccessDeniedException" || f.Code == "AccessDenied" || f.Status == http.StatusForbidden:
		p.undecided("%s: these credentials may not ask (%s). Ask with an administrator's.", what, f.Message)
	case f.Code == "UnknownOperationException" || f.Status == http.StatusNotImplemented || f.Code == "InvalidAction":
		p.undecided("%s: the endpoint does not serve the question.", what)
	default:
		return false
	}
	return true
}

func checkConnection(ctx context.Context, p *patient) {
	l := p.reach()
	if l.runtime == nil || l.runtime.Host == "" {
		p.undecided("there is no endpoint to connect to.")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if l.runtime.Scheme == "https" {
		p.connectTLS(ctx, l)
		return
	}
	p.connectPlain(ctx, l)
}

// get asks for a page that needs no credentials, in one protocol; any answer
// shows that the protocol is spoken.
func (l *live) get(ctx context.Context, t *http.Transport) error {
	defer t.CloseIdleConnections()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, l.runtime.Scheme+"://"+l.runtime.Host+"/ping", nil)
	if err != nil {
		return err
	}
	answer, err := t.RoundTrip(r)
	if err != nil {
		return err
	}
	answer.Body.Close()
	l.date, err = http.ParseTime(answer.Header.Get("Date"))
	l.reached = true
	if err != nil {
		l.date = time.Time{} // no clock is shown
	}
	return nil
}

func protocols(h1, h2, h2c bool) *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(h1)
	p.SetHTTP2(h2)
	p.SetUnencryptedHTTP2(h2c)
	return p
}

const onlyHTTP1 = `%s speaks HTTP/1.1 only; LibreChat's client needs HTTP/2 ("Protocol error" in the chat).`

func (p *patient) connectPlain(ctx context.Context, l *live) {
	if l.get(ctx, &http.Transport{Protocols: protocols(false, false, true)}) == nil {
		return
	}
	err := l.get(ctx, &http.Transport{Protocols: protocols(true, false, false)})
	if err == nil {
		p.say(p.endpointAt(), "Point at Outcrop itself, or let what stands before it pass HTTP/2 with prior knowledge.", onlyHTTP1, l.runtime.Host)
		return
	}
	p.say(p.endpointAt(), p.hostFix(l), "%s does not answer: %v.", l.runtime.Host, plain(err))
}

func (p *patient) connectTLS(ctx context.Context, l *live) {
	roots, err := p.roots()
	if err != nil {
		p.say(p.envAt("NODE_EXTRA_CA_CERTS"), "Name a file with the authority's certificate in PEM form.", "NODE_EXTRA_CA_CERTS: %v.", err)
	}
	conn, err := (&tls.Dialer{Config: &tls.Config{RootCAs: roots, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12}}).DialContext(ctx, "tcp", hostPort(l.runtime))
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	switch {
	case err == nil:
		defer conn.Close()
		if conn.(*tls.Conn).ConnectionState().NegotiatedProtocol != "h2" {
			p.say(p.endpointAt(), "Let what stands before Outcrop offer h2.", onlyHTTP1, l.runtime.Host)
		}
		l.reached = true
		l.get(ctx, &http.Transport{Protocols: protocols(false, true, false), TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}) // for its clock only
	case errors.As(err, &unknown):
		p.say(p.endpointAt(), "Start LibreChat with NODE_EXTRA_CA_CERTS=/path/to/ca.pem (outcrop serve --tls prints the line).", "LibreChat does not trust the certificate of %s (\"self-signed certificate\" in the chat).", l.runtime.Host)
	case errors.As(err, &name):
		p.say(p.endpointAt(), "Use a name that the certificate has.", "the certificate of %s is for other names: %v.", l.runtime.Host, name)
	case strings.Contains(err.Error(), "no application protocol"):
		p.say(p.endpointAt(), "Let what stands before Outcrop offer h2.", onlyHTTP1, l.runtime.Host)
	case plainHTTP(err):
		return // of LC33
	default:
		p.say(p.endpointAt(), p.hostFix(l), "%s does not answer: %v.", l.runtime.Host, plain(err))
	}
}

// plainHTTP says that a TLS handshake was answered in HTTP.
func plainHTTP(err error) bool {
	var header tls.RecordHeaderError
	return errors.As(err, &header)
}

// plain is an error without the parts that only a programmer wants.
func plain(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		return op.Err
	}
	return err
}

func (p *patient) hostFix(l *live) string {
	if h := l.runtime.Hostname(); h == "localhost" || h == "127.0.0.1" {
		return "Start the server; from a container, localhost is the container: use the compose service's name."
	}
	if p.Endpoint == "" && p.endpointAt() == (place{}) {
		return "No endpoint is named, so calls go to AWS itself: set AWS_ENDPOINT_URL_BEDROCK_RUNTIME to Outcrop's address (outcrop librechat init does), or give --endpoint."
	}
	return "Start the server, or correct its address."
}

func hostPort(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	return net.JoinHostPort(u.Hostname(), "443")
}

// roots are what Node would trust.
func (p *patient) roots() (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	name := p.env.get("NODE_EXTRA_CA_CERTS")
	if name == "" {
		return pool, nil
	}
	pem, err := os.ReadFile(name)
	if err == nil && !pool.AppendCertsFromPEM(pem) {
		err = errors.New(name + " holds no certificate")
	}
	return pool, err
}

// endpointAt is the line that names the endpoint.
func (p *patient) endpointAt() place {
	for _, name := range []string{varProxy, varRuntime, varAll} {
		if p.Endpoint == "" && p.env.get(name) != "" {
			return p.envAt(name)
		}
	}
	return place{}
}

// checkProxyTLS sees whether the port that LibreChat will speak TLS to does.
func checkProxyTLS(ctx context.Context, p *patient) {
	v := p.env.get(varProxy)
	if v == "" || strings.Contains(v, "://") {
		return
	}
	u, err := url.Parse("https://" + v)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}}).DialContext(ctx, "tcp", hostPort(u)) // LC40 verifies
	if err == nil {
		conn.Close()
		return
	}
	if plainHTTP(err) {
		p.say(p.envAt(varProxy), "Serve TLS (outcrop serve --tls), or use "+varRuntime+"=http://"+v+" instead.", "%s speaks plain HTTP, and with %s https is forced.", v, varProxy)
	}
}

func checkClock(_ context.Context, p *patient) {
	l := p.reach()
	if !l.reached || l.date.IsZero() {
		p.undecided("the endpoint showed no clock.")
		return
	}
	apart := p.Now().Sub(l.date).Abs().Round(time.Second)
	switch {
	case apart > 5*time.Minute:
		p.say(place{}, "Set the clock (NTP).", "the clocks of this machine and of %s differ by %s; signatures fail at 5 minutes.", l.runtime.Host, apart)
	case apart > time.Minute:
		p.sayAs(Warn, place{}, "Set the clock (NTP).", "the clocks of this machine and of %s differ by %s; signatures fail at 5 minutes.", l.runtime.Host, apart)
	}
}
