// Command server is an API server with chi, Prometheus and single use over several processes. It needs
// no C: CGO_ENABLED=0 makes one file of it that runs on any Linux.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"touchmark"
	"touchmark/touchmarkprom"
	"touchmark/touchmarkredis"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8000", "where to listen")
	flag.Parse()
	if err := serve(*listen); err != nil {
		log.Fatal(err)
	}
}

func serve(listen string) error {
	guard, err := touchmark.NewGuard(nil, touchmark.WithReplayStore(touchmarkredis.Open))
	if err != nil {
		return err
	}
	defer guard.Close() // says what was counted in report mode
	registry := prometheus.NewRegistry()
	registry.MustRegister(touchmarkprom.NewCollector(guard))

	router := chi.NewRouter()
	router.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	router.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	router.With(guard.Middleware(touchmark.Pattern("/v2/rates/{currency}"))).
		Get("/v2/rates/{currency}", rate)
	// An order counts once, and needs a phone whose hardware vouches for the app.
	router.With(guard.Middleware(touchmark.Pattern("/v2/orders"), touchmark.RequireLevel(touchmark.TEE),
		touchmark.SpendToken(true))).
		Post("/v2/orders", order)

	server := &http.Server{Addr: listen, Handler: router, ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 64 << 10}
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	select {
	case err = <-ended:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return server.Shutdown(last)
}

func rate(w http.ResponseWriter, r *http.Request) {
	answer(w, map[string]any{chi.URLParam(r, "currency"): 1})
}

func order(w http.ResponseWriter, r *http.Request) {
	result, _ := touchmark.FromContext(r.Context())
	answer(w, map[string]any{"device": result.Device})
}

func answer(w http.ResponseWriter, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(body)
}
