// Mints token-go-jose.txt with github.com/go-jose/go-jose/v4: go run mint.go keys.json payload.json
package main

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"

	"github.com/go-jose/go-jose/v4"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	var keys struct {
		SigningKeyPem string `json:"signing_key_pem"`
		DecryptionKey string `json:"decryption_key"`
	}
	if err := json.Unmarshal(must(os.ReadFile(os.Args[1])), &keys); err != nil {
		panic(err)
	}
	block, _ := pem.Decode([]byte(keys.SigningKeyPem))
	signingKey := must(x509.ParsePKCS8PrivateKey(block.Bytes))
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: signingKey}, nil))
	signed := must(must(signer.Sign(must(os.ReadFile(os.Args[2])))).CompactSerialize())
	encrypter := must(jose.NewEncrypter(jose.A256GCM, jose.Recipient{
		Algorithm: jose.A256KW,
		Key:       must(base64.StdEncoding.DecodeString(keys.DecryptionKey)),
	}, nil))
	fmt.Println(must(must(encrypter.Encrypt([]byte(signed))).CompactSerialize()))
}
