package touchmark_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"touchmark"
)

// measured calls what is measured b.N times, and tells the processor time beside the clock's: others' load
// does not lengthen it.
func measured(b *testing.B, once func()) {
	cpu := func() int64 {
		var usage syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
			b.Fatal(err)
		}
		return usage.Utime.Nano() + usage.Stime.Nano()
	}
	b.ResetTimer()
	before := cpu()
	for at := 0; at < b.N; at++ {
		once()
	}
	b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
}

// What the service makes, with all its usual claims.
var usual = signed(`{"did":"Q3f0GmD1cQvN8u7Zr3Y2Sg==","exp":4000000000,"ip":"192.0.2.7"}`)

// Each is measured beside golang-jwt alone: with its checks of exp and of the algorithm.

func BenchmarkRawHMAC(b *testing.B) {
	key, _ := base64.StdEncoding.DecodeString(secret)
	mac := hmac.New(sha256.New, key)
	text := []byte(usual[:strings.LastIndex(usual, ".")])
	var sum []byte
	measured(b, func() {
		mac.Reset()
		mac.Write(text)
		sum = mac.Sum(sum[:0])
	})
}

func benchmarkLibrary(b *testing.B, token, algorithm string, key any) {
	parser := jwt.NewParser(jwt.WithValidMethods([]string{algorithm}), jwt.WithExpirationRequired())
	measured(b, func() {
		if _, err := parser.Parse(token, func(*jwt.Token) (any, error) { return key, nil }); err != nil {
			b.Fatal(err)
		}
	})
}

func benchmarkGuard(b *testing.B, guard *touchmark.Guard, token string) {
	made := touchmark.Request{Method: "GET", Headers: http.Header{"Touchmark-Token": {token}}}
	measured(b, func() {
		if decision := guard.Check(context.Background(), made, nil); !decision.Allowed {
			b.Fatal(decision)
		}
	})
}

func BenchmarkHS256Library(b *testing.B) {
	key, _ := base64.StdEncoding.DecodeString(secret)
	benchmarkLibrary(b, usual, "HS256", key)
}

func BenchmarkHS256Guard(b *testing.B) { benchmarkGuard(b, guardOf(b, with()), usual) }

func BenchmarkES256Library(b *testing.B) {
	key := newSigner(b, "key")
	benchmarkLibrary(b, key.tokenUntil(4000000000), "ES256", &key.key.PublicKey)
}

func BenchmarkES256Guard(b *testing.B) {
	key := newSigner(b, "key")
	path := filepath.Join(b.TempDir(), "jwks.json")
	if err := os.WriteFile(path, []byte(setOf(key)), 0o600); err != nil {
		b.Fatal(err)
	}
	benchmarkGuard(b, guardOf(b, map[string]string{"TOUCHMARK_JWKS": path}), key.tokenUntil(4000000000))
}

func benchmarkRequests(b *testing.B, handler http.Handler) {
	server := httptest.NewServer(handler)
	defer server.Close()
	measured(b, func() {
		made, _ := http.NewRequest("GET", server.URL, nil)
		made.Header.Set("Touchmark-Token", usual)
		answer, err := http.DefaultClient.Do(made)
		if err != nil || answer.StatusCode != 200 {
			b.Fatal(answer, err)
		}
		answer.Body.Close()
	})
}

func BenchmarkRequestWithoutTheCheck(b *testing.B) {
	benchmarkRequests(b, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
}

func BenchmarkRequestWithTheCheck(b *testing.B) {
	guard := guardOf(b, with())
	benchmarkRequests(b, guard.Middleware()(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
}
