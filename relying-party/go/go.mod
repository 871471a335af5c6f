module touchmark

go 1.19

require (
	github.com/dunglas/httpsfv v1.1.2
	github.com/golang-jwt/jwt/v5 v5.2.2
)
