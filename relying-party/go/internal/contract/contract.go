// Package contract runs the vectors of protocol/token-check.md against a server over real HTTP.
package contract

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"touchmark"
)

type group struct {
	Name     string
	Settings map[string]string
	JWKS     json.RawMessage
	Cases    []struct {
		Name, Method, Status, Reason, Maker string
		Headers                             [][2]string
		HTTP                                int
	}
}

// Served is what the application behind the check answers.
const Served = "served"

// Run starts a server for each group and compares what its requests get. `cover` puts the check of a
// guard before an application that answers Served, in the framework that is tested.
func Run(t *testing.T, vectors string, cover func(*touchmark.Guard) http.Handler) {
	var file struct {
		Now    int64
		Groups []group
	}
	if text, err := os.ReadFile(vectors); err != nil || json.Unmarshal(text, &file) != nil {
		t.Fatal("the vectors cannot be read: ", err)
	}
	cases := 0
	for _, one := range file.Groups {
		var seen touchmark.Decision
		settings, err := touchmark.ReadSettings(one.settings(t))
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
			status, problem := send(server.Listener.Addr(), c.Method, c.Headers)
			if status != c.HTTP || problem != "" || string(seen.Status) != c.Status || string(seen.Reason) != c.Reason ||
				c.Maker != "" && string(seen.Maker) != c.Maker {
				t.Errorf("%s, %s: %d %s %s by %s (%s)", one.Name, c.Name, status, seen.Status, seen.Reason, seen.Maker, problem)
			}
		}
		server.Close()
	}
	t.Logf("%d requests of %d groups got what the contract says", cases, len(file.Groups))
}

func (g *group) settings(t *testing.T) map[string]string {
	path := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(path, g.JWKS, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range g.Settings {
		if value == "${jwks}" {
			g.Settings[name] = path
		}
	}
	return g.Settings
}

// send writes the request itself: Go's client would mend what is wrong with it.
func send(to net.Addr, method string, headers [][2]string) (status int, problem string) {
	connection, err := net.Dial(to.Network(), to.String())
	if err != nil {
		return 0, err.Error()
	}
	defer connection.Close()
	text := bytes.NewBufferString(method + " /v2/rates HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n")
	for _, one := range headers {
		fmt.Fprintf(text, "%s: %s\r\n", one[0], one[1])
	}
	connection.Write(append(text.Bytes(), "\r\n"...))
	answer, err := http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: method})
	if err != nil {
		return 0, err.Error()
	}
	body, err := io.ReadAll(answer.Body)
	is := fmt.Sprint(answer.Header["Content-Type"], answer.Header["Www-Authenticate"], answer.Header["Cache-Control"], string(body))
	if answer.StatusCode == http.StatusUnauthorized && is != "[application/json] [Touchmark] [no-store]{}" || err != nil ||
		answer.StatusCode == http.StatusOK && string(body) != Served && method != http.MethodOptions {
		problem = fmt.Sprint("answers ", is, err)
	}
	return answer.StatusCode, problem
}
