// Package contract runs the vectors of protocol/token-check.md against a server over real HTTP.
package contract

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"touchmark"
)

// Served is what the application behind the check answers.
const Served = "served"

// Requests are the vectors of every check, as seen from the core; Signed those of signed requests.
const (
	Requests = "../../protocol/vectors/token-check/requests.json"
	Signed   = "../../protocol/vectors/token-check/signed-requests.json"
)

// Run starts a server for each group and compares what its requests get. `cover` puts the check of a
// guard before an application that answers Served, in the framework that is tested.
func Run(t *testing.T, vectors string, cover func(*touchmark.Guard) http.Handler) {
	file, cases := Read(t, vectors), 0
	for _, one := range file.Groups {
		var seen touchmark.Decision
		settings, err := touchmark.ReadSettings(one.Prepared(t))
		if err != nil {
			t.Fatal(one.Name, err)
		}
		guard, err := touchmark.NewGuard(settings, touchmark.WithClock(func() time.Time { return time.Unix(file.Now, 0) }),
			touchmark.WithObserver(func(d touchmark.Decision) { seen = d }), touchmark.WithLog(func(touchmark.LogLevel, string) {}))
		if err != nil {
			t.Fatal(one.Name, err)
		}
		server := httptest.NewServer(cover(guard))
		for _, c := range one.Cases {
			cases++
			seen = touchmark.Decision{}
			status, problem := send(server.Listener.Addr(), c.Method, c.Target, c.Headers, c.Body)
			if status != c.HTTP || problem != "" || string(seen.Status) != c.Status || string(seen.Reason) != c.Reason ||
				c.Maker != "" && string(seen.Maker) != c.Maker {
				t.Errorf("%s, %s: %d %s %s by %s (%s)", one.Name, c.Name, status, seen.Status, seen.Reason, seen.Maker, problem)
			}
		}
		server.Close()
	}
	if t.Failed() {
		return
	}
	t.Logf("%d requests of %d groups got what the contract says", cases, len(file.Groups))
}

// send writes the request itself: Go's client would mend what is wrong with it.
func send(to net.Addr, method, target string, headers [][2]string, body string) (status int, problem string) {
	connection, err := net.Dial(to.Network(), to.String())
	if err != nil {
		return 0, err.Error()
	}
	defer connection.Close()
	if target == "" {
		target = "/v2/rates"
	}
	text := bytes.NewBufferString(method + " " + target + " HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n")
	if body != "" {
		fmt.Fprintf(text, "Content-Length: %d\r\n", len(body))
	}
	for _, one := range headers {
		fmt.Fprintf(text, "%s: %s\r\n", one[0], one[1])
	}
	connection.Write([]byte(text.String() + "\r\n" + body))
	answer, err := http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: method})
	if err != nil {
		return 0, err.Error()
	}
	page, err := io.ReadAll(answer.Body)
	is := fmt.Sprint(answer.Header["Content-Type"], answer.Header["Www-Authenticate"], answer.Header["Cache-Control"], string(page))
	if answer.StatusCode == http.StatusUnauthorized && is != "[application/json] [Touchmark] [no-store]{}" || err != nil ||
		answer.StatusCode == http.StatusOK && string(page) != Served && method != http.MethodOptions {
		problem = fmt.Sprint("answers ", is, err)
	}
	return answer.StatusCode, problem
}
