package touchmark_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"touchmark"
	"touchmark/internal/contract"
)

// bodyCase is a request of the contract with a body, and the guard that it is for.
func bodyCase(t *testing.T, options ...touchmark.Option) (*touchmark.Guard, [][2]string, string) {
	t.Helper()
	file := contract.Read(t, contract.Signed)
	group := file.Named(t, "signed by the installation")
	guard := guardOf(t, group.Prepared(t), append(options, touchmark.WithClock(func() time.Time { return time.Unix(file.Now, 0) }))...)
	for _, c := range group.Cases {
		if c.Name == "a POST" {
			return guard, c.Headers, c.Body
		}
	}
	t.Fatal("no such case")
	return nil, nil, ""
}

func TestTheHandlerGetsTheBodyThatWasChecked(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		testBody(t, http2)
	}
}

func testBody(t *testing.T, http2 bool) {
	guard, headers, body := bodyCase(t)
	for _, mode := range []touchmark.Mode{touchmark.Enforce, touchmark.Report} {
		server := httptest.NewUnstartedServer(guard.Middleware(touchmark.InMode(mode))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got, _ := io.ReadAll(r.Body)
			w.Write(got)
		})))
		server.EnableHTTP2 = http2
		server.StartTLS()
		defer server.Close()
		// Reported: a nonce again; and then a body beyond the limit.
		for _, sent := range []string{body, strings.Repeat("x", 2<<20)} {
			if mode == touchmark.Enforce && sent != body {
				continue
			}
			made, _ := http.NewRequest("POST", server.URL+"/v2/rates?from=EUR&to=GBP", strings.NewReader(sent))
			for _, one := range headers {
				made.Header.Add(one[0], one[1])
			}
			answer, err := server.Client().Do(made)
			if err != nil {
				t.Fatal(err)
			}
			got, _ := io.ReadAll(answer.Body)
			answer.Body.Close()
			if answer.StatusCode != 200 || string(got) != sent || answer.ProtoMajor == 2 != http2 {
				t.Error(mode, answer.StatusCode, len(got), guard.Counts())
			}
		}
	}
}

// A client that sends the half of its body and waits holds one connection, until the server's own limit.
func TestASlowClient(t *testing.T) {
	seen := make(chan touchmark.Reason, 1)
	guard, headers, body := bodyCase(t, touchmark.WithObserver(func(d touchmark.Decision) { seen <- d.Reason }))
	server := httptest.NewUnstartedServer(guard.Middleware()(http.HandlerFunc(served)))
	server.Config.ReadTimeout = time.Second
	server.Start()
	defer server.Close()
	connection, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	fmt.Fprintf(connection, "POST /v2/rates?from=EUR&to=GBP HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: %d\r\n", len(body))
	for _, one := range headers {
		fmt.Fprintf(connection, "%s: %s\r\n", one[0], one[1])
	}
	fmt.Fprint(connection, "\r\n", body[:1])
	select {
	case reason := <-seen:
		if reason != touchmark.ReasonWrongDigest {
			t.Error(reason)
		}
	case <-time.After(10 * time.Second):
		t.Error("still waits")
	}
}

func TestSettingsOfSignatures(t *testing.T) {
	for _, c := range []struct{ name, value, says string }{
		{"TOUCHMARK_SIGNATURES", "installs", "use 'install', 'account'"},
		{"TOUCHMARK_SIGNATURES", "install,install", "use 'install', 'account'"},
		{"TOUCHMARK_ACCOUNT_KEY", "AAAA", "3 bytes"},
		{"TOUCHMARK_SIGNATURE_HEADERS", "a b", "cannot be the name of a header"},
		{"TOUCHMARK_SIGNATURE_ORIGIN", "api.example.com", "use an origin"},
		{"TOUCHMARK_SIGNATURE_ORIGIN", "https://api.example.com/", "use an origin"},
		{"TOUCHMARK_SIGNATURE_AGE", "0", "from 1 to 300"},
		{"TOUCHMARK_SIGNATURE_AGE", "060", "from 1 to 300"},
		{"TOUCHMARK_SIGNATURE_BODY", "67108865", "from 0 to 67108864"},
		{"TOUCHMARK_SIGNATURE_NONCES", "none", "use 'memory' or redis://"},
	} {
		_, err := touchmark.ReadSettings(with(c.name, c.value))
		if refused, ok := err.(*touchmark.SettingsError); !ok || refused.Setting != c.name || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s=%q: %v", c.name, c.value, err)
		}
	}
	if _, err := touchmark.ReadSettings(with("TOUCHMARK_SIGNATURES", "account")); err == nil ||
		!strings.Contains(err.Error(), "TOUCHMARK_ACCOUNT_KEY is not set") {
		t.Error(err)
	}
}
