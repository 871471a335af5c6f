package touchmark

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
)

// The examples of RFC 9421, appendix B, that have an algorithm of ours.
func TestTheExamplesOfRFC9421(t *testing.T) {
	text, err := os.ReadFile("../../protocol/vectors/token-check/signed-requests.json")
	var file struct {
		RFC9421 []struct {
			Name, Alg, Parameters, Signature string
			PublicKey                        string `json:"public_key"`
			Secret                           string
			Components                       [][2]string
		}
	}
	if err != nil || json.Unmarshal(text, &file) != nil || len(file.RFC9421) < 2 {
		t.Fatal("no vectors: ", err)
	}
	for _, example := range file.RFC9421 {
		label := labelInstall
		of := &key{algorithm: "ES256"}
		if example.Alg == "hmac-sha256" {
			label = labelAccount
			of.algorithm = "HS256"
			of.material, err = base64.StdEncoding.DecodeString(example.Secret)
		} else {
			der, _ := base64.StdEncoding.DecodeString(example.PublicKey)
			of.material, err = x509.ParsePKIXPublicKey(der)
		}
		if err != nil {
			t.Fatal(err)
		}
		headers := http.Header{}
		var names []string
		ofAnAnswer := ""
		settings := &Settings{}
		for _, one := range example.Components {
			switch {
			case one[0] == "@authority":
				settings.signatures.origin = "https://" + one[1]
			case one[0] == "@status":
				// What covers an answer's status is none of a request's signatures: its line is put in here.
				ofAnAnswer = `"@status": ` + one[1] + "\n"
				continue
			default:
				headers.Set(one[0], one[1])
			}
			names = append(names, `"`+one[0]+`"`)
		}
		headers.Set("Signature-Input", label+"=("+strings.Join(names, " ")+")"+example.Parameters)
		headers.Set("Signature", label+"=:"+example.Signature+":")
		check := signature{label: label, request: Request{Method: "POST", Headers: headers}, settings: settings}
		if reason := check.read(); reason != ReasonOK {
			t.Fatal(example.Name, reason)
		}
		base, _, reason := check.cover()
		if ofAnAnswer != "" {
			base = ofAnAnswer + strings.Replace(base, `"@signature-params": (`, `"@signature-params": ("@status" `, 1)
		}
		if reason != ReasonOK || of.signerOf(base, check.value) != signedByKey || of.signerOf(base+" ", check.value) == signedByKey {
			t.Errorf("%s: %s\n%s", example.Name, reason, base)
		}
	}
}

// What comes in the two fields, and in Content-Digest, is parsed before anything is known of its maker.
var fields = [][3]string{
	{`install=("@method" "@target-uri" "touchmark-token");created=1790000000;nonce="a"`, "install=:AAAA:", "sha-256=:AAAA:"},
	{`install=("@method";req "x" y);created=@1;nonce=%"a"`, `install="x"`, "sha-256"},
	{`install=(), account=("host");a=?0;b=1.5;c=:AA==:;d=tok`, "install=?1", "="},
	{`install=("@method" "@target-uri" "touchmark-token");created=@`, `install=@`, "sha-256=@-"},
}

func checkFields(t *testing.T, input, value, digest string) {
	settings := &Settings{signatures: signatures{labels: []string{labelInstall}, age: 60, maxBody: 10}}
	headers := http.Header{"Signature-Input": {input}, "Signature": {value}, "Content-Digest": {digest}, "Touchmark-Token": {"x"}}
	request := Request{Method: "POST", Headers: headers, Target: "/", Host: "api.example.com",
		Body: func(int64) ([]byte, error) { return []byte("body"), nil }}
	check := signature{label: labelInstall, request: request, settings: settings}
	if check.isDigestRight() {
		t.Fatalf("%q is a digest of the body", digest)
	}
	from := &maker{name: MakerTouchmark, header: "Touchmark-Token"}
	if reason := check.check(from, &token{claims: map[string]any{}}, 1790000000); reason == ReasonOK {
		t.Fatalf("accepts %q and %q, which nobody signed", input, value)
	}
}

func FuzzSignatureFields(f *testing.F) {
	for _, one := range fields {
		f.Add(one[0], one[1], one[2])
	}
	f.Fuzz(checkFields)
}

func TestChangedFieldsAreSurvived(t *testing.T) {
	random := seeded(t)
	for at := 0; at < 50_000; at++ {
		one := fields[random.Intn(len(fields))]
		const letters = "()\"\\;,=:?@%* \t-.019azAZ_/+\x00\xff"
		checkFields(t, changed(random, one[0], letters), changed(random, one[1], letters), changed(random, one[2], letters))
	}
}

func TestTypesOfRFC9651AreNoneHere(t *testing.T) {
	for text, isOne := range map[string]bool{
		``: true, `a`: true, `a=1, b="x", c=?0;d=t, e=:AA==:, f=("x";y=1 2.5);z`: true, `a=1;b=2,  a=3`: true,
		`a=@`: false, `a=@1`: false, `a=%"x"`: false, `a=("x" @1)`: false, `a=1;b=@1`: false, `a=("x");b=%"x"`: false,
		`a=("x";y=@1)`: false, `A`: false, `a=1,`: false, `a=1000000000000000`: false, `a="é"`: false, strings.Repeat("a", 8193): false,
	} {
		if _, found := dictionary(http.Header{"Signature": {text}}, "Signature"); found != isOne {
			t.Errorf("%q: %t", clipped(text, 60), found)
		}
	}
}
