package touchmarkprom_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"touchmark"
	"touchmark/touchmarkprom"
)

func TestTheCountsAreShown(t *testing.T) {
	settings, err := touchmark.ReadSettings(map[string]string{"TOUCHMARK_SECRET": "jIZD6mQmHUz8Y4SHBzY51RorQ7BzmWNa8Eci0UH+r8Q="})
	if err != nil {
		t.Fatal(err)
	}
	guard, err := touchmark.NewGuard(settings)
	if err != nil {
		t.Fatal(err)
	}
	handler := guard.Middleware(touchmark.Pattern("/v2/rates"))(http.NotFoundHandler())
	for _, token := range []string{"", "x", "y"} {
		request := httptest.NewRequest("GET", "/v2/rates?secret", nil)
		request.Header.Set("Touchmark-Token", token)
		handler.ServeHTTP(httptest.NewRecorder(), request)
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(touchmarkprom.NewCollector(guard))
	expected := `
# HELP touchmark_requests_total Requests by what the check of their token found.
# TYPE touchmark_requests_total counter
touchmark_requests_total{enforced="true",maker="touchmark",reason="no-token",route="/v2/rates",status="missing"} 1
touchmark_requests_total{enforced="true",maker="touchmark",reason="not-compact",route="/v2/rates",status="malformed"} 2
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(expected)); err != nil {
		t.Error(err)
	}
}
