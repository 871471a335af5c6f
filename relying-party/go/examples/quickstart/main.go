// Command quickstart serves rates to the genuine app alone.
package main

import (
	"flag"
	"io"
	"log"
	"net/http"

	"touchmark"
)

func rates(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"EUR":1}`)
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8000", "where to listen")
	flag.Parse()
	guard, err := touchmark.NewGuard(nil) // reads the settings; a missing secret stops the start here
	if err != nil {
		log.Fatal(err)
	}
	check := guard.Middleware(touchmark.Pattern("/v2/rates"))
	http.Handle("/v2/rates", check(http.HandlerFunc(rates)))
	log.Fatal(http.ListenAndServe(*listen, nil))
}
