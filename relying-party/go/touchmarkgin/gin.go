// Package touchmarkgin puts the check of a guard before the handlers of gin.
package touchmarkgin

import (
	"bufio"
	"errors"
	"net"
	"net/http"

	"github.com/gin-gonic/gin"

	"touchmark"
)

// Middleware is for an engine, a group or a route. What gin's handlers find in the request's context is
// what touchmark.FromContext gives. It panics for options that no route can have.
//
// The client's address is that of the connection, and not gin's ClientIP, which by default believes
// what a client says of itself; touchmark.WithClient changes it.
func Middleware(guard *touchmark.Guard, options ...touchmark.RouteOption) gin.HandlerFunc {
	route, err := guard.Route(options...)
	if err != nil {
		panic(err)
	}
	return func(c *gin.Context) {
		decision, request := guard.CheckHTTP(c.Request, route.Named(c.FullPath()))
		if !decision.Allowed {
			touchmark.Refuse(c.Writer)
			c.Abort()
			return
		}
		c.Request = request
		if decision.Preflight() {
			c.Writer = &bodiless{c.Writer}
		}
		c.Next()
	}
}

// bodiless loses the body of an answer to a preflight, as touchmark.Guard.Middleware does. gin keeps
// the status to itself until there is a body or the handlers have ended.
type bodiless struct {
	gin.ResponseWriter
}

func (b *bodiless) WriteHeaderNow() {
	if !b.Written() {
		b.Header().Del("Transfer-Encoding")
		b.Header().Del("Content-Length")
		// RFC 9110, section 8.6: no length with a 204.
		if b.Status() != http.StatusNoContent {
			b.Header().Set("Content-Length", "0")
		}
	}
	b.ResponseWriter.WriteHeaderNow()
}

func (b *bodiless) Write(body []byte) (int, error) {
	b.WriteHeaderNow()
	return len(body), nil
}

func (b *bodiless) WriteString(body string) (int, error) {
	b.WriteHeaderNow()
	return len(body), nil
}

func (b *bodiless) Flush() {
	b.WriteHeaderNow()
	b.ResponseWriter.Flush()
}

func (b *bodiless) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, errors.New("touchmark: nobody gets the connection of a preflight")
}
