package touchmarkgrpc_test

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"touchmark"
	"touchmark/internal/contract"
	"touchmark/touchmarkgrpc"
)

const (
	secret = "jIZD6mQmHUz8Y4SHBzY51RorQ7BzmWNa8Eci0UH+r8Q="
	check  = "/grpc.health.v1.Health/Check"
	watch  = "/grpc.health.v1.Health/Watch"
)

// healthService is gRPC's own health service, and keeps what its methods find in their context.
type healthService struct {
	*health.Server
	found touchmark.Result
}

func (h *healthService) Check(ctx context.Context, in *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	h.found, _ = touchmark.FromContext(ctx)
	return h.Server.Check(ctx, in)
}

func (h *healthService) Watch(in *grpc_health_v1.HealthCheckRequest, stream grpc_health_v1.Health_WatchServer) error {
	h.found, _ = touchmark.FromContext(stream.Context())
	return h.Server.Watch(in, stream)
}

func guardOf(t *testing.T, settings map[string]string, options ...touchmark.Option) *touchmark.Guard {
	t.Helper()
	read, err := touchmark.ReadSettings(settings)
	if err != nil {
		t.Fatal(err)
	}
	guard, err := touchmark.NewGuard(read, append(options, touchmark.WithLog(func(touchmark.LogLevel, string) {}))...)
	if err != nil {
		t.Fatal(err)
	}
	return guard
}

func serve(t *testing.T, guard *touchmark.Guard, options ...touchmarkgrpc.Option) (grpc_health_v1.HealthClient, *healthService) {
	t.Helper()
	interceptor, err := touchmarkgrpc.New(guard, options...)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnaryInterceptor(interceptor.Unary), grpc.StreamInterceptor(interceptor.Stream))
	service := &healthService{Server: health.NewServer()}
	grpc_health_v1.RegisterHealthServer(server, service)
	go server.Serve(listener)
	connection, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close(); server.Stop() })
	return grpc_health_v1.NewHealthClient(connection), service
}

func callUnary(client grpc_health_v1.HealthClient, ctx context.Context) codes.Code {
	_, err := client.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	return status.Code(err)
}

func callStream(client grpc_health_v1.HealthClient, ctx context.Context) codes.Code {
	stream, err := client.Watch(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err == nil {
		_, err = stream.Recv()
	}
	return status.Code(err)
}

// What gRPC's client refuses to send as metadata: a value that is not printable ASCII.
var sendable = regexp.MustCompile(`^[ -~]*$`)

// The contract's requests as calls: a header is metadata, 401 is Unauthenticated. Methods of HTTP are
// none of gRPC's, so what tells them apart is passed over, and so is what cannot be sent.
func TestContract(t *testing.T) {
	file := contract.Read(t, "../"+contract.Requests)
	sent, passed := 0, 0
	for _, one := range file.Groups {
		var seen touchmark.Decision
		guard := guardOf(t, one.Prepared(t), touchmark.WithClock(func() time.Time { return time.Unix(file.Now, 0) }),
			touchmark.WithObserver(func(d touchmark.Decision) { seen = d }))
		client, _ := serve(t, guard)
		for at, c := range one.Cases {
			pairs, send := []string{}, c.Method != "OPTIONS"
			for _, header := range c.Headers {
				pairs = append(pairs, header[0], header[1])
				send = send && sendable.MatchString(header[1])
			}
			if !send {
				passed++
				continue
			}
			sent++
			seen = touchmark.Decision{}
			call, expected := callUnary, codes.OK
			if at%2 == 1 {
				call = callStream
			}
			if c.HTTP == 401 {
				expected = codes.Unauthenticated
			}
			ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(context.Background(), pairs...), 30*time.Second)
			code := call(client, ctx)
			cancel()
			if code != expected || string(seen.Status) != c.Status || string(seen.Reason) != c.Reason {
				t.Errorf("%s, %s: %s %s %s", one.Name, c.Name, code, seen.Status, seen.Reason)
			}
		}
	}
	if passed > 40 {
		t.Errorf("%d requests are passed over", passed)
	}
	if t.Failed() {
		return
	}
	t.Logf("%d calls got what the contract says, %d requests cannot be sent as calls", sent, passed)
}

func TestTheHandlerHasTheResult(t *testing.T) {
	text, err := os.ReadFile(filepath.FromSlash("../../../protocol/vectors/token.json"))
	var tokens struct{ Secret, Valid string }
	if err != nil || json.Unmarshal(text, &tokens) != nil {
		t.Fatal(err)
	}
	guard := guardOf(t, map[string]string{"TOUCHMARK_SECRET": tokens.Secret}, touchmark.WithClock(func() time.Time { return time.Unix(1, 0) }))
	client, service := serve(t, guard)
	ctx := metadata.AppendToOutgoingContext(context.Background(), "touchmark-token", tokens.Valid)
	for _, call := range []func(grpc_health_v1.HealthClient, context.Context) codes.Code{callUnary, callStream} {
		service.found = touchmark.Result{}
		bounded, cancel := context.WithTimeout(ctx, 30*time.Second)
		if code := call(client, bounded); code != codes.OK || service.found.Status != touchmark.Valid || service.found.Device == "" {
			t.Error(code, service.found)
		}
		cancel()
	}
	for _, method := range []string{check, watch} {
		of := touchmark.Count{Maker: "touchmark", Status: "valid", Reason: "ok", Enforced: true, Route: method}
		if guard.Counts()[of] != 1 {
			t.Error(guard.Counts())
		}
	}
}

func TestAMethodHasItsOwnMode(t *testing.T) {
	guard := guardOf(t, map[string]string{"TOUCHMARK_SECRET": secret})
	client, _ := serve(t, guard, touchmarkgrpc.ForMethod(check, touchmark.InMode(touchmark.Off)))
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if code := callUnary(client, ctx); code != codes.OK {
		t.Error(code)
	}
	if code := callStream(client, ctx); code != codes.Unauthenticated {
		t.Error(code)
	}
	if _, err := touchmarkgrpc.New(guard, touchmarkgrpc.ForMethod(check, touchmark.ForPercent(101))); err == nil {
		t.Error("a share of 101 percent is taken")
	}
}

// A client makes up the names of methods that nobody registered.
func TestAnUnknownMethodIsNotCountedByItsName(t *testing.T) {
	guard := guardOf(t, map[string]string{"TOUCHMARK_SECRET": secret})
	interceptor, err := touchmarkgrpc.New(guard)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.StreamInterceptor(interceptor.Stream),
		grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error { return status.Error(codes.OK, "") }))
	go server.Serve(listener)
	defer server.Stop()
	connection, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for _, method := range []string{"/a/1", "/a/2", "/b/3"} {
		err := connection.Invoke(ctx, method, &grpc_health_v1.HealthCheckRequest{}, &grpc_health_v1.HealthCheckResponse{})
		if status.Code(err) != codes.Unauthenticated {
			t.Error(method, err)
		}
	}
	if counts := guard.Counts(); len(counts) != 1 {
		t.Error(counts)
	}
}
