package touchmarkgin_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	"touchmark"
	"touchmark/internal/contract"
	"touchmark/touchmarkgin"
)

func init() { gin.SetMode(gin.ReleaseMode) }

func TestContract(t *testing.T) {
	for _, vectors := range []string{contract.Requests, contract.Signed} {
		contract.Run(t, "../"+vectors, func(guard *touchmark.Guard) http.Handler {
			engine := gin.New()
			engine.Any("/*what", touchmarkgin.Middleware(guard), func(c *gin.Context) { c.String(http.StatusOK, contract.Served) })
			return engine
		})
	}
}

func guardOf(t *testing.T, settings map[string]string, options ...touchmark.Option) *touchmark.Guard {
	t.Helper()
	read, err := touchmark.ReadSettings(settings)
	if err != nil {
		t.Fatal(err)
	}
	guard, err := touchmark.NewGuard(read, options...)
	if err != nil {
		t.Fatal(err)
	}
	return guard
}

const secret = "jIZD6mQmHUz8Y4SHBzY51RorQ7BzmWNa8Eci0UH+r8Q="

func TestARouteIsCountedByItsPattern(t *testing.T) {
	guard := guardOf(t, map[string]string{"TOUCHMARK_SECRET": secret})
	engine := gin.New()
	engine.Use(touchmarkgin.Middleware(guard))
	engine.GET("/v2/rates/:currency", func(c *gin.Context) { t.Error("is served") })
	for _, path := range []string{"/v2/rates/EUR", "/v2/rates/GBP"} {
		engine.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
	}
	of := touchmark.Count{Maker: "touchmark", Status: "missing", Reason: "no-token", Enforced: true, Route: "/v2/rates/:currency"}
	if counts := guard.Counts(); counts[of] != 2 || len(counts) != 1 {
		t.Error(counts)
	}
}

func TestARouteHasItsOwnMode(t *testing.T) {
	guard := guardOf(t, map[string]string{"TOUCHMARK_SECRET": secret})
	engine := gin.New()
	engine.GET("/report", touchmarkgin.Middleware(guard, touchmark.InMode(touchmark.Report)), func(c *gin.Context) {
		result, found := touchmark.FromContext(c.Request.Context())
		if !found || result.Reason != touchmark.ReasonNoToken {
			t.Error(result, found)
		}
		c.String(http.StatusOK, "served")
	})
	answer := httptest.NewRecorder()
	engine.ServeHTTP(answer, httptest.NewRequest("GET", "/report", nil))
	if answer.Code != http.StatusOK {
		t.Error(answer.Code)
	}
	defer func() {
		if recover() == nil {
			t.Error("a mode that is none makes a middleware")
		}
	}()
	touchmarkgin.Middleware(guard, touchmark.InMode("reprot"))
}

func TestThePreflightOfARouteLosesItsBody(t *testing.T) {
	guard := guardOf(t, map[string]string{"TOUCHMARK_SECRET": secret})
	engine := gin.New()
	engine.OPTIONS("/", touchmarkgin.Middleware(guard), func(c *gin.Context) {
		c.Header("Access-Control-Allow-Origin", "https://app.example")
		c.Header("Content-Length", "6")
		c.Writer.WriteString("secret")
		c.Writer.Write([]byte("secret"))
		c.Writer.Flush()
		if _, _, err := c.Writer.Hijack(); err == nil {
			t.Error("the connection is given away")
		}
	})
	server := httptest.NewServer(engine)
	defer server.Close()
	request, _ := http.NewRequest("OPTIONS", server.URL, nil)
	request.Header.Set("Origin", "https://app.example")
	request.Header.Set("Access-Control-Request-Method", "GET")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.ContentLength != 0 || answer.Header.Get("Access-Control-Allow-Origin") == "" {
		t.Error(answer.ContentLength, answer.Header)
	}
}
