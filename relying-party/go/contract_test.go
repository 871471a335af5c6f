package touchmark_test

import (
	"io"
	"net/http"
	"testing"

	"touchmark"
	"touchmark/internal/contract"
)

func TestContractNetHTTP(t *testing.T) {
	for _, vectors := range []string{contract.Requests, contract.Signed} {
		contract.Run(t, vectors, func(guard *touchmark.Guard) http.Handler {
			return guard.Middleware()(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				io.WriteString(w, contract.Served)
			}))
		})
	}
}
