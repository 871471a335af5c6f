package touchmark

import (
	"context"
	"net"
	"net/http"
)

type contextKey struct{}

// FromContext is the result of the check that a request passed. False: none was made.
func FromContext(ctx context.Context) (Result, bool) {
	found, ok := ctx.Value(contextKey{}).(Result)
	return found, ok
}

// NewContext is a context that FromContext finds the result in: for covers over other frameworks.
func NewContext(ctx context.Context, found Result) context.Context {
	return context.WithValue(ctx, contextKey{}, found)
}

// Middleware puts the check before a handler. It panics for options that no route can have, as
// http.ServeMux does for a pattern: they stand in the program. [Guard.Route] gives an error instead.
func (g *Guard) Middleware(given ...RouteOption) func(http.Handler) http.Handler {
	route, err := g.Route(given...)
	if err != nil {
		panic(err)
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			decision, r := g.CheckHTTP(r, route.Named(patternOf(r)))
			if !decision.Allowed {
				Refuse(w)
				return
			}
			if decision.Preflight() {
				w = &bodiless{ResponseWriter: w}
			}
			next.ServeHTTP(w, r)
		})
	}
}

// CheckHTTP is [Guard.Check] for a request of net/http. It gives the request for the handler, in whose
// context [FromContext] finds the result, and whose body is whole: where requests are signed, the check
// has read it.
func (g *Guard) CheckHTTP(r *http.Request, route *Route) (Decision, *http.Request) {
	request := Request{Method: r.Method, Headers: r.Header, Client: g.options.client(r), Path: r.URL.Path}
	var read *body
	if g.verifier.settings.AskForSignatures() {
		request.Target, request.Host = targetOf(r), r.Host
		if read = bodyOf(r); read != nil {
			request.Body = read.read
		}
	}
	decision := g.Check(r.Context(), request, route)
	if !decision.Allowed {
		return decision, r
	}
	// The server goes on with its own request: its body is left as it is there.
	next := r.WithContext(NewContext(r.Context(), decision.Result))
	if read != nil {
		next.Body = read.whole()
	}
	return decision, next
}

// RemoteHost is the address of the client's end of the connection, without its port.
func RemoteHost(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// Refuse writes the answer that every refused request gets: it does not say what was wrong.
func Refuse(w http.ResponseWriter) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	// RFC 9110, section 11.6.1: a 401 names the scheme that would do.
	header.Set("WWW-Authenticate", "Touchmark")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusUnauthorized)
	w.Write([]byte("{}"))
}

// Bodiless keeps status and headers of an answer and loses its body: for a preflight, since whoever
// writes the two headers of one is no app for that.
func Bodiless(w http.ResponseWriter) http.ResponseWriter { return &bodiless{ResponseWriter: w} }

// bodiless has none of the other interfaces of a ResponseWriter, and no Unwrap: through them the body,
// or the whole connection, could be had.
type bodiless struct {
	http.ResponseWriter
	begun bool
}

func (b *bodiless) WriteHeader(status int) {
	if !b.begun && status >= 200 {
		b.begun = true
		b.Header().Del("Transfer-Encoding")
		b.Header().Del("Content-Length")
		// RFC 9110, section 8.6: no length with a 204.
		if status != http.StatusNoContent {
			b.Header().Set("Content-Length", "0")
		}
	}
	b.ResponseWriter.WriteHeader(status)
}

func (b *bodiless) Write(body []byte) (int, error) {
	if !b.begun {
		b.WriteHeader(http.StatusOK)
	}
	return len(body), nil
}
