package examples

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"debug/elf"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"touchmark"
	"touchmark/internal/contract"
)

const secret = "jIZD6mQmHUz8Y4SHBzY51RorQ7BzmWNa8Eci0UH+r8Q="

func TestContractChi(t *testing.T) {
	for _, vectors := range []string{contract.Requests, contract.Signed} {
		contract.Run(t, "../"+vectors, func(guard *touchmark.Guard) http.Handler {
			router := chi.NewRouter()
			router.Use(guard.Middleware())
			router.HandleFunc("/v2/*", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, contract.Served) })
			return router
		})
	}
}

// token makes one as the service does.
func token(claims map[string]any) string {
	key, _ := base64.StdEncoding.DecodeString(secret)
	payload, _ := json.Marshal(claims)
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." +
		base64.RawURLEncoding.EncodeToString(payload)
	mac := hmac.New(sha256.New, key)
	io.WriteString(mac, text)
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// build makes an example without C.
func build(t *testing.T, name string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), name)
	build := exec.Command("go", "build", "-o", program, "./"+name)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatal(string(output))
	}
	return program
}

// start runs an example on a port of its own.
func start(t *testing.T, name string, settings ...string) (base string, process *exec.Cmd, says *bytes.Buffer) {
	t.Helper()
	program := build(t, name)
	file, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if libraries, err := file.ImportedLibraries(); err != nil || len(libraries) != 0 {
		t.Error("needs libraries: ", libraries, err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	process, says = exec.Command(program, "-listen", address), &bytes.Buffer{}
	process.Env = append([]string{"TOUCHMARK_SECRET=" + secret}, settings...)
	process.Stderr = says
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { process.Process.Kill() })
	for try := 0; try < 600; try++ {
		if connection, err := net.Dial("tcp", address); err == nil {
			connection.Close()
			return "http://" + address, process, says
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal(name, " does not listen: ", says)
	return
}

func ask(t *testing.T, method, url, token string) (int, string) {
	t.Helper()
	request, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Touchmark-Token", token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, strings.TrimSpace(string(body))
}

func TestTheQuickstart(t *testing.T) {
	base, process, says := start(t, "quickstart")
	exp := time.Now().Add(time.Minute).Unix()
	if status, body := ask(t, "GET", base+"/v2/rates", token(map[string]any{"did": "x", "exp": exp})); status != 200 || body != `{"EUR":1}` {
		t.Error(status, body)
	}
	if status, body := ask(t, "GET", base+"/v2/rates", ""); status != 401 || body != "{}" {
		t.Error(status, body)
	}
	process.Process.Kill()
	process.Wait()
	if !strings.Contains(says.String(), "touchmark: refused GET \"/v2/rates\" from 127.0.0.1: missing (no-token)") {
		t.Error(says)
	}
}

func TestTheServer(t *testing.T) {
	base, process, says := start(t, "server", "TOUCHMARK_MODE=enforce", "TOUCHMARK_SINGLE_USE=memory")
	exp := time.Now().Add(time.Minute).Unix()
	plain := func(jti int) string { return token(map[string]any{"did": "x", "exp": exp, "jti": fmt.Sprint(jti)}) }
	strong := token(map[string]any{"did": "x", "exp": exp, "jti": "order", "lvl": "tee"})
	for _, c := range []struct {
		method, path, token string
		status              int
		body                string
	}{
		{"GET", "/healthz", "", 204, ""},
		{"GET", "/v2/rates/EUR", plain(1), 200, `{"EUR":1}`},
		{"GET", "/v2/rates/EUR", plain(1), 401, "{}"},
		{"GET", "/v2/rates/GBP", "", 401, "{}"},
		{"POST", "/v2/orders", plain(2), 401, "{}"},
		{"POST", "/v2/orders", strong, 200, `{"device":"x"}`},
		{"POST", "/v2/orders", strong, 401, "{}"},
	} {
		if status, body := ask(t, c.method, base+c.path, c.token); status != c.status || body != c.body {
			t.Error(c.method, c.path, status, body)
		}
	}
	_, metrics := ask(t, "GET", base+"/metrics", "")
	for _, line := range []string{
		`touchmark_requests_total{enforced="true",maker="touchmark",reason="replayed",route="/v2/orders",status="replayed"} 1`,
		`touchmark_requests_total{enforced="true",maker="touchmark",reason="low-level",route="/v2/orders",status="weak"} 1`,
		`touchmark_requests_total{enforced="true",maker="touchmark",reason="ok",route="/v2/rates/{currency}",status="valid"} 1`,
	} {
		if !strings.Contains(metrics, line) {
			t.Errorf("%s is not in the metrics:\n%s", line, metrics)
		}
	}
	process.Process.Signal(syscall.SIGTERM)
	if err := process.Wait(); err != nil {
		t.Error(err, says)
	}
}

func TestAMissingSecretStopsTheStart(t *testing.T) {
	process := exec.Command(build(t, "quickstart"))
	process.Env = []string{}
	output, err := process.CombinedOutput()
	if err == nil || !strings.Contains(string(output), "TOUCHMARK_SECRET is not set") {
		t.Error(err, string(output))
	}
}

// A server that takes the module from its folder, as README.md says.
func TestTheCommandsOfTheREADME(t *testing.T) {
	page, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(page), "```sh\n")
	commands, _, _ := strings.Cut(after, "```")
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.Symlink(root, filepath.Join(folder, "touchmark")); err != nil {
		t.Fatal(err)
	}
	server := filepath.Join(folder, "server")
	source, err := os.ReadFile("quickstart/main.go")
	if err == nil {
		err = os.Mkdir(server, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(server, "main.go"), source, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	run := exec.Command("sh", "-ec", commands+"go build .")
	run.Dir, run.Env = server, append(os.Environ(), "CGO_ENABLED=0")
	if output, err := run.CombinedOutput(); err != nil || strings.Count(commands, "\n") != 3 {
		t.Error(commands, string(output))
	}
}
