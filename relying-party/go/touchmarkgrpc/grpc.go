// Package touchmarkgrpc puts the check of a guard before the methods of a gRPC server. The token is in
// the call's metadata, under the name of the setting's header.
package touchmarkgrpc

import (
	"context"
	"net"
	"net/http"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"touchmark"
)

// Interceptor checks each call once, when it begins. Give Unary and Stream to grpc.NewServer, both:
//
//	grpc.NewServer(grpc.UnaryInterceptor(check.Unary), grpc.StreamInterceptor(check.Stream))
//
// A call that is refused gets the code Unauthenticated and no message. Handlers find the result with
// touchmark.FromContext.
type Interceptor struct {
	guard   *touchmark.Guard
	whole   *touchmark.Route
	methods map[string]*touchmark.Route
}

// Option is something of an Interceptor.
type Option func(*Interceptor) error

// ForMethod is for a method that asks for something of its own. `method` is its full name, such as
// "/grpc.health.v1.Health/Check".
func ForMethod(method string, options ...touchmark.RouteOption) Option {
	return func(i *Interceptor) error {
		route, err := i.guard.Route(append([]touchmark.RouteOption{touchmark.Pattern(method)}, options...)...)
		i.methods[method] = route
		return err
	}
}

// New makes an Interceptor. Its error is a *touchmark.SettingsError.
func New(guard *touchmark.Guard, options ...Option) (*Interceptor, error) {
	if guard.Settings().AskForSignatures() {
		// An interceptor sees messages, and not the bytes that a digest would be of.
		return nil, &touchmark.SettingsError{Setting: "TOUCHMARK_SIGNATURES", Problem: "is set, and calls of gRPC cannot be signed: take it out"}
	}
	whole, err := guard.Route()
	made := &Interceptor{guard: guard, whole: whole, methods: map[string]*touchmark.Route{}}
	for at := 0; at < len(options) && err == nil; at++ {
		err = options[at](made)
	}
	return made, err
}

// Unary is a grpc.UnaryServerInterceptor.
func (i *Interceptor) Unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	ctx, err := i.check(ctx, info.FullMethod, true)
	if err != nil {
		return nil, err
	}
	return handler(ctx, request)
}

// Stream is a grpc.StreamServerInterceptor.
func (i *Interceptor) Stream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	// Without a server it is a method that nobody registered (grpc.UnknownServiceHandler): the client
	// made up its name, and each would be counted by itself.
	ctx, err := i.check(stream.Context(), info.FullMethod, server != nil)
	if err != nil {
		return err
	}
	return handler(server, &checkedStream{stream, ctx})
}

type checkedStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *checkedStream) Context() context.Context { return s.ctx }

func (i *Interceptor) check(ctx context.Context, method string, registered bool) (context.Context, error) {
	route, found := i.methods[method]
	if !found {
		route = i.whole
		if registered {
			route = route.Named(method)
		}
	}
	values, _ := metadata.FromIncomingContext(ctx)
	decision := i.guard.Check(ctx, touchmark.Request{Method: http.MethodPost, Headers: headers(values), Client: client(ctx),
		Path: method}, route)
	if !decision.Allowed {
		return nil, status.Error(codes.Unauthenticated, "")
	}
	return touchmark.NewContext(ctx, decision.Result), nil
}

// headers finds the values of metadata in any case, as touchmark.Headers does.
type headers metadata.MD

func (h headers) Values(name string) []string { return metadata.MD(h).Get(name) }

// client is the address of the client's end of the connection, without its port.
func client(ctx context.Context) string {
	from, found := peer.FromContext(ctx)
	if !found || from.Addr == nil {
		return ""
	}
	host, _, err := net.SplitHostPort(from.Addr.String())
	if err != nil {
		return from.Addr.String()
	}
	return host
}
