module touchmark/examples

go 1.19

require (
	github.com/go-chi/chi/v5 v5.1.0
	github.com/prometheus/client_golang v1.18.0
	touchmark v0.1.0
	touchmark/touchmarkprom v0.1.0
	touchmark/touchmarkredis v0.1.0
)

require (
	github.com/beorn7/perks v1.0.1 // indirect
	github.com/cespare/xxhash/v2 v2.2.0 // indirect
	github.com/dgryski/go-rendezvous v0.0.0-20200823014737-9f7001d12a5f // indirect
	github.com/dunglas/httpsfv v1.1.2 // indirect
	github.com/golang-jwt/jwt/v5 v5.2.2 // indirect
	github.com/matttproud/golang_protobuf_extensions/v2 v2.0.0 // indirect
	github.com/prometheus/client_model v0.5.0 // indirect
	github.com/prometheus/common v0.45.0 // indirect
	github.com/prometheus/procfs v0.12.0 // indirect
	github.com/redis/go-redis/v9 v9.7.3 // indirect
	golang.org/x/sys v0.21.0 // indirect
	google.golang.org/protobuf v1.33.0 // indirect
)

replace (
	touchmark => ../
	touchmark/touchmarkprom => ../touchmarkprom
	touchmark/touchmarkredis => ../touchmarkredis
)
