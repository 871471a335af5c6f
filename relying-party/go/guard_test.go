package touchmark_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"touchmark"
)

// lines is a log.
type lines struct {
	mutex sync.Mutex
	all   []string
}

func (l *lines) add(_ touchmark.LogLevel, line string) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.all = append(l.all, line)
}

func (l *lines) text() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return strings.Join(l.all, "\n")
}

// clock is one that a test moves.
type clock struct {
	mutex sync.Mutex
	now   time.Time
}

func (c *clock) read() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.now
}

func (c *clock) advance(by time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.now = c.now.Add(by)
}

func newClock() *clock { return &clock{now: time.Unix(1790000000, 0)} }

func guardOf(t testing.TB, settings map[string]string, options ...touchmark.Option) *touchmark.Guard {
	t.Helper()
	read, err := touchmark.ReadSettings(settings)
	if err != nil {
		t.Fatal(err)
	}
	quiet := touchmark.WithLog(func(touchmark.LogLevel, string) {})
	guard, err := touchmark.NewGuard(read, append([]touchmark.Option{quiet}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return guard
}

// signed makes a token as the service does.
func signed(payload string) string {
	key, _ := base64.StdEncoding.DecodeString(secret)
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." +
		base64.RawURLEncoding.EncodeToString([]byte(payload))
	mac := hmac.New(sha256.New, key)
	io.WriteString(mac, text)
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

var fresh = signed(`{"did":"device","exp":1790000300}`)

func request(method, path string, headers ...string) *http.Request {
	made := httptest.NewRequest(method, path, nil)
	for at := 0; at < len(headers); at += 2 {
		made.Header.Add(headers[at], headers[at+1])
	}
	return made
}

func served(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "served") }

func TestTheLogHasNoToken(t *testing.T) {
	var log lines
	clock := newClock()
	guard := guardOf(t, with("TOUCHMARK_MODE", "report"), touchmark.WithLog(log.add), touchmark.WithClock(clock.read),
		touchmark.WithAcceptedLogged())
	handler := guard.Middleware()(http.HandlerFunc(served))
	expired := signed(`{"did":"device\n1","exp":1}`)
	for _, token := range []string{fresh, expired, fresh + "x", "x" + fresh, ""} {
		made := request("GET", "/v2/rates", "Touchmark-Token", token)
		made.URL.Path = "/v2/\nrates" + strings.Repeat("x", 10000)
		handler.ServeHTTP(httptest.NewRecorder(), made)
	}
	text := log.text()
	for _, token := range []string{fresh, expired} {
		for _, part := range strings.Split(token, ".") {
			if strings.Contains(text, part) {
				t.Error("the log has a part of a token")
			}
		}
	}
	if digest := sha256.Sum256([]byte(expired)); !strings.Contains(text, fmt.Sprintf("%x", digest[:6])) {
		t.Error("the log does not name a token by its digest")
	}
	for _, expected := range []string{
		"report mode: requests without a valid token in Touchmark-Token are served and logged",
		`would refuse GET "/v2/\nratesxxx`,
		`: expired (expired) did="device\n1" token-sha256=`,
		": missing (no-token)",
		`: valid (ok) did="device"`,
		`from 192.0.2.1: `,
	} {
		if !strings.Contains(text, expected) {
			t.Errorf("%q is not in the log:\n%s", expected, text)
		}
	}
	if len(text) > 4000 || strings.Count(text, "\n") != 5 {
		t.Errorf("the log has %d bytes and %d lines", len(text), strings.Count(text, "\n"))
	}
}

func TestReportModeSaysWhatItCounted(t *testing.T) {
	var log lines
	clock := newClock()
	guard := guardOf(t, with("TOUCHMARK_MODE", "report"), touchmark.WithLog(log.add), touchmark.WithClock(clock.read))
	handler := guard.Middleware()(http.HandlerFunc(served))
	handler.ServeHTTP(httptest.NewRecorder(), request("GET", "/", "Touchmark-Token", fresh))
	handler.ServeHTTP(httptest.NewRecorder(), request("GET", "/"))
	if strings.Contains(log.text(), "of 2 requests") {
		t.Error("says so at once")
	}
	clock.advance(5 * time.Minute)
	handler.ServeHTTP(httptest.NewRecorder(), request("GET", "/", "Touchmark-Token", "x"))
	summary := "of 3 requests 1 had a valid token, 0 were refused, and 2 would be: 1 malformed, 1 missing"
	if !strings.HasSuffix(log.text(), summary) {
		t.Error(log.text())
	}
	guard.Close()
	if strings.Count(log.text(), "of 3 requests") != 1 {
		t.Error("says the same again")
	}
	handler.ServeHTTP(httptest.NewRecorder(), request("GET", "/"))
	guard.Close()
	if !strings.HasSuffix(log.text(), "of 4 requests 1 had a valid token, 0 were refused, and 3 would be: 1 malformed, 2 missing") {
		t.Error(log.text())
	}
}

func TestARouteAsksForItsOwn(t *testing.T) {
	guard := guardOf(t, with(), touchmark.WithClock(newClock().read))
	bound := signed(`{"did":"device","exp":1790000300,"pay":"` + touchmark.BindingClaim("abc") + `"}`)
	strong := signed(`{"did":"device","exp":1790000300,"lvl":"tee","jti":"1"}`)
	for at, c := range []struct {
		option touchmark.RouteOption
		token  string
		status int
		reason touchmark.Reason
	}{
		{touchmark.InMode(touchmark.Off), "", 200, touchmark.ReasonOff},
		{touchmark.InMode(touchmark.Report), "", 200, touchmark.ReasonNoToken},
		{touchmark.ForPercent(0), "", 200, touchmark.ReasonNoToken},
		{touchmark.ForPercent(100), "", 401, touchmark.ReasonNoToken},
		{touchmark.RequireLevel(touchmark.TEE), strong, 200, touchmark.ReasonOK},
		{touchmark.RequireLevel(touchmark.SecureChip), strong, 401, touchmark.ReasonLowLevel},
		{touchmark.BoundTo("X-Session"), bound, 200, touchmark.ReasonOK},
		{touchmark.BoundTo("X-Session"), fresh, 401, touchmark.ReasonWrongPay},
		{touchmark.BoundTo("X-Other"), bound, 401, touchmark.ReasonNoBoundHeader},
		{touchmark.SpendToken(true), strong, 200, touchmark.ReasonOK},
		{touchmark.SpendToken(true), strong, 401, touchmark.ReasonReplayed},
		{touchmark.SpendToken(false), strong, 200, touchmark.ReasonOK},
		{touchmark.SpendToken(true), fresh, 401, touchmark.ReasonNoJti},
	} {
		var found touchmark.Result
		pattern := touchmark.Pattern(fmt.Sprint("/", at))
		handler := guard.Middleware(c.option, pattern)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			found, _ = touchmark.FromContext(r.Context())
		}))
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request("GET", "/", "Touchmark-Token", c.token, "X-Session", "abc"))
		counted := false
		for of := range guard.Counts() {
			counted = counted || of.Route == fmt.Sprint("/", at) && of.Reason == c.reason
		}
		if answer.Code != c.status || !counted || answer.Code == 200 && found.Reason != c.reason {
			t.Error(at, answer.Code, found.Reason, guard.Counts())
		}
	}
	for _, option := range []touchmark.RouteOption{
		touchmark.InMode(""), touchmark.ForPercent(-1), touchmark.RequireLevel(9), touchmark.BoundTo("a b"),
		touchmark.BoundTo("Touchmark-Token"),
	} {
		if _, err := guard.Route(option); err == nil {
			t.Error("an option that no route can have is taken")
		}
	}
	off := guardOf(t, map[string]string{"TOUCHMARK_MODE": "off"})
	if _, err := off.Route(touchmark.InMode(touchmark.Enforce)); err == nil {
		t.Error("a route enforces without a secret")
	}
}

func TestThePreflightLosesItsBody(t *testing.T) {
	guard := guardOf(t, with())
	for _, status := range []int{200, 204} {
		server := httptest.NewServer(guard.Middleware()(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Access-Control-Allow-Origin", "https://app.example")
			w.Header().Set("Content-Length", "6")
			if status != 200 {
				w.WriteHeader(status)
			}
			io.WriteString(w, "secret")
			if _, can := w.(http.Hijacker); can {
				t.Error("the connection can be had")
			}
		})))
		made, _ := http.NewRequest("OPTIONS", server.URL, nil)
		made.Header.Set("Origin", "https://app.example")
		made.Header.Set("Access-Control-Request-Method", "GET")
		answer, err := http.DefaultClient.Do(made)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		if answer.StatusCode != status || len(body) != 0 || answer.Header.Get("Access-Control-Allow-Origin") == "" ||
			status == 200 && answer.Header.Get("Content-Length") != "0" {
			t.Error(answer, string(body))
		}
		answer.Body.Close()
		server.Close()
	}
}

// A value that no HTTP server lets through, from a caller in the process.
func TestABindingHeaderWithALineFeedBindsNothing(t *testing.T) {
	guard := guardOf(t, with("TOUCHMARK_BINDING_HEADERS", "A,B"), touchmark.WithClock(newClock().read))
	token := signed(`{"did":"device","exp":1790000300,"pay":"` + touchmark.BindingClaim("a\nb\nc") + `"}`)
	made := request("GET", "/", "Touchmark-Token", token, "A", "a\nb", "B", "c")
	if decision, _ := guard.CheckHTTP(made, nil); decision.Reason != touchmark.ReasonNoBoundHeader {
		t.Error(decision.Reason)
	}
	made = request("GET", "/", "Touchmark-Token", fresh[:20]+"\r\n"+fresh[20:])
	if decision, _ := guard.CheckHTTP(made, nil); decision.Reason != touchmark.ReasonNotCompact {
		t.Error(decision.Reason)
	}
}

func TestTheTokensThatTheServiceMakes(t *testing.T) {
	text, err := os.ReadFile("../../protocol/vectors/token.json")
	var tokens map[string]any
	if err != nil || json.Unmarshal(text, &tokens) != nil {
		t.Fatal("no vectors: ", err)
	}
	settings := map[string]string{"TOUCHMARK_SECRET": tokens["secret"].(string)}
	guard := guardOf(t, settings, touchmark.WithClock(func() time.Time { return time.Unix(1, 0) }))
	for name, status := range map[string]touchmark.Status{
		"valid": touchmark.Valid, "bound": touchmark.Valid, "decoy": touchmark.Invalid, "forged": touchmark.Forged,
		"alg_none": touchmark.Forged, "other_alg": touchmark.Forged,
	} {
		decision, _ := guard.CheckHTTP(request("GET", "/", "Touchmark-Token", tokens[name].(string)), nil)
		if decision.Status != status || (status == touchmark.Forged) != (decision.Claims == nil) {
			t.Error(name, decision)
		}
	}
}

func TestOneMegabyteOfHeaders(t *testing.T) {
	guard := guardOf(t, with())
	server := httptest.NewUnstartedServer(guard.Middleware()(http.HandlerFunc(served)))
	server.Config.MaxHeaderBytes = 4 << 20
	server.Start()
	defer server.Close()
	for _, header := range []string{"Touchmark-Token", "X-Other"} {
		made, _ := http.NewRequest("GET", server.URL, nil)
		made.Header.Set(header, strings.Repeat("x", 1<<20))
		answer, err := http.DefaultClient.Do(made)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != 401 {
			t.Error(answer.StatusCode)
		}
	}
	if counts := guard.Counts(); len(counts) != 2 {
		t.Error(counts)
	}
}

func TestTheLogIsThatOfTheREADME(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var log lines
	clock := newClock()
	guard := guardOf(t, with("TOUCHMARK_MODE", "report"), touchmark.WithLog(log.add), touchmark.WithClock(clock.read))
	for _, token := range []string{"", fresh} {
		made := request("GET", "/v2/rates", "Touchmark-Token", token)
		made.RemoteAddr = "127.0.0.1:5000"
		guard.CheckHTTP(made, nil)
	}
	guard.Close()
	if len(log.all) != 3 {
		t.Error(log.text())
	}
	for _, line := range log.all {
		if !strings.Contains(string(page), "\ntouchmark: "+line+"\n") {
			t.Errorf("%q is not in README.md", line)
		}
	}
}
