package touchmark_test

import (
	"io"
	"net/http"
	"testing"

	"touchmark"
	"touchmark/internal/contract"
)

const vectors = "../../protocol/vectors/token-check/requests.json"

func TestContractNetHTTP(t *testing.T) {
	contract.Run(t, vectors, func(guard *touchmark.Guard) http.Handler {
		return guard.Middleware()(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, contract.Served)
		}))
	})
}
