// Command example serves rates with gin.
package main

import (
	"flag"
	"log"
	"net/http"

	"github.com/gin-gonic/gin"

	"touchmark"
	"touchmark/touchmarkgin"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8000", "where to listen")
	flag.Parse()
	guard, err := touchmark.NewGuard(nil)
	if err != nil {
		log.Fatal(err)
	}
	engine := gin.Default()
	api := engine.Group("/v2", touchmarkgin.Middleware(guard))
	api.GET("/rates/:currency", func(c *gin.Context) {
		result, _ := touchmark.FromContext(c.Request.Context())
		c.JSON(http.StatusOK, gin.H{c.Param("currency"): 1, "device": result.Device})
	})
	log.Fatal(engine.Run(*listen))
}
