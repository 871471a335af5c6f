package touchmark_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"touchmark"
)

// What the service makes, with all its usual claims.
var usual = signed(`{"did":"Q3f0GmD1cQvN8u7Zr3Y2Sg==","exp":4000000000,"ip":"192.0.2.7"}`)

func BenchmarkHMAC(b *testing.B) {
	key, _ := base64.StdEncoding.DecodeString(secret)
	mac := hmac.New(sha256.New, key)
	text := []byte(usual[:strings.LastIndex(usual, ".")])
	var sum []byte
	for at := 0; at < b.N; at++ {
		mac.Reset()
		mac.Write(text)
		sum = mac.Sum(sum[:0])
	}
}

func BenchmarkGolangJWT(b *testing.B) {
	key, _ := base64.StdEncoding.DecodeString(secret)
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired())
	for at := 0; at < b.N; at++ {
		if _, err := parser.Parse(usual, func(*jwt.Token) (any, error) { return key, nil }); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGuard(b *testing.B) {
	guard := guardOf(b, with())
	made := touchmark.Request{Method: "GET", Headers: http.Header{"Touchmark-Token": {usual}}}
	for at := 0; at < b.N; at++ {
		if decision := guard.Check(context.Background(), made, nil); !decision.Allowed {
			b.Fatal(decision)
		}
	}
}

func benchmarkRequests(b *testing.B, handler http.Handler) {
	server := httptest.NewServer(handler)
	defer server.Close()
	b.ResetTimer()
	for at := 0; at < b.N; at++ {
		made, _ := http.NewRequest("GET", server.URL, nil)
		made.Header.Set("Touchmark-Token", usual)
		answer, err := http.DefaultClient.Do(made)
		if err != nil || answer.StatusCode != 200 {
			b.Fatal(answer, err)
		}
		answer.Body.Close()
	}
}

func BenchmarkRequestWithoutTheCheck(b *testing.B) {
	benchmarkRequests(b, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
}

func BenchmarkRequestWithTheCheck(b *testing.B) {
	guard := guardOf(b, with())
	benchmarkRequests(b, guard.Middleware()(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
}
