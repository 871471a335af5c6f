module touchmark/touchmarkredis

go 1.19

require (
	github.com/redis/go-redis/v9 v9.7.3
	touchmark v0.1.0
)

require (
	github.com/cespare/xxhash/v2 v2.2.0 // indirect
	github.com/dgryski/go-rendezvous v0.0.0-20200823014737-9f7001d12a5f // indirect
	github.com/dunglas/httpsfv v1.1.2 // indirect
	github.com/golang-jwt/jwt/v5 v5.2.2 // indirect
)

replace touchmark => ../
