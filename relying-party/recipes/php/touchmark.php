<?php
// The check of Touchmark's tokens for PHP 8: HS256, by the contract in protocol/token-check.md. It needs
// nothing beside PHP, for which Debian 12 has no package that reads JWTs.
//
//   $claims = (new Touchmark(getenv()))->guard();   // refuses the request, or gives the token's claims
declare(strict_types=1);

final class Touchmark
{
    private const SETTINGS = ['SECRET', 'TOKEN_HEADER', 'BINDING_HEADERS', 'AUDIENCE', 'ISSUER'];
    private const FORMS = ['MODE' => '/^(enforce|report|off)$/D', 'LEEWAY' => '/^([0-2]?\d?\d|300)(\.\d+)?$/D',
        'LEVEL' => '/^(software|platform|tee|secure-chip)$/D'];
    private const LEVELS = ['software' => 1, 'platform' => 2, 'tee' => 3, 'secure-chip' => 4];
    public const STATUS = ['ok' => 'valid', 'off' => 'unchecked', 'no-token' => 'missing', 'decoy' => 'invalid',
        'wrong-algorithm' => 'forged', 'unknown-key' => 'forged', 'bad-signature' => 'forged',
        'not-yet-valid' => 'early', 'wrong-issuer' => 'misdirected', 'wrong-audience' => 'misdirected',
        'low-level' => 'weak', 'no-bound-header' => 'unbound', 'wrong-pay' => 'unbound',
        'preflight' => 'preflight', 'expired' => 'expired'];  // every other reason is of a malformed token
    private array $set;
    private array $keys = [];  // kid or '', secret, decoy secret

    /** @param array<string, string> $environment @param ?callable(): float $clock */
    public function __construct(array $environment, private $clock = null)
    {
        $ours = array_filter($environment, fn ($name) => str_starts_with($name, 'TOUCHMARK_'), ARRAY_FILTER_USE_KEY);
        foreach ($ours as $name => $value) {
            $short = substr($name, 10);
            $form = self::FORMS[$short] ?? (in_array($short, self::SETTINGS, true) ? '/\S/' : '/^$a/');
            if (!preg_match($form, $value)) {
                throw new RuntimeException("$name is no setting of this recipe, or cannot be that");
            }
        }
        $this->set = $ours + ['TOUCHMARK_MODE' => 'enforce', 'TOUCHMARK_TOKEN_HEADER' => 'Touchmark-Token'];
        foreach (array_filter(explode(',', $this->get('SECRET') ?? '')) as $one) {
            [$text, $kid] = array_reverse(explode(':', trim($one), 2)) + [1 => ''];
            $secret = base64_decode($text, true);
            if ($secret === false || strlen($secret) < 32 || base64_encode($secret) !== $text) {
                throw new RuntimeException('TOUCHMARK_SECRET is not base64 of 32 bytes or more');
            }
            $this->keys[] = [$kid, $secret, hash_hkdf('sha256', $secret, 32, 'touchmark decoy secret v1')];
        }
        if (!$this->keys && $this->get('MODE') !== 'off') throw new RuntimeException('TOUCHMARK_SECRET is not set');
    }

    /** Refuses this request with 401 and {}, or gives the claims of its token. */
    public function guard(): array
    {
        [$reason, $claims] = $this->check($_SERVER['REQUEST_METHOD'], getallheaders());
        $status = self::STATUS[$reason] ?? 'malformed';
        if (in_array($status, ['valid', 'preflight', 'unchecked'], true)) {
            return (array) $claims;
        }
        $enforced = $this->get('MODE') === 'enforce';
        error_log(sprintf('touchmark: %s: %s token, reason=%s', $enforced ? 'refused' : 'would refuse', $status, $reason));
        if ($enforced) {
            http_response_code(401);
            array_map(header(...), ['Content-Type: application/json', 'WWW-Authenticate: Touchmark', 'Cache-Control: no-store']);
            exit('{}');
        }
        return [];
    }

    /** @param array<string, string> $headers @return array{string, ?stdClass} reason, and claims that are the service's */
    public function check(string $method, array $headers): array
    {
        $headers = array_change_key_case($headers);
        $header = fn (string $name): string => trim($headers[strtolower(trim($name))] ?? '', " \t");
        $now = $this->clock ? ($this->clock)() : microtime(true);
        if ($this->get('MODE') === 'off') return ['off', null];
        $asked = $header('Access-Control-Request-Method');
        $is_method = preg_match("/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/D", $asked);
        if ($method === 'OPTIONS' && $header('Origin') !== '' && $is_method) return ['preflight', null];
        $token = $header($this->get('TOKEN_HEADER'));
        if ($token === '') return ['no-token', null];
        if (str_contains($token, ',')) return ['two-tokens', null];
        if (strlen($token) > 4096) return ['too-long', null];
        $parts = array_map(fn ($part) => base64_decode(strtr($part, '-_', '+/'), true), explode('.', $token));
        $again = array_map(fn ($part) => rtrim(strtr(base64_encode((string) $part), '+/', '-_'), '='), $parts);
        if (count($parts) !== 3 || $parts[0] === '' || $parts[1] === '' || implode('.', $again) !== $token) return ['not-compact', null];
        $head = json_decode($parts[0], false, 17);
        if (!$head instanceof stdClass) return ['bad-header', null];
        if (property_exists($head, 'crit') || ($head->b64 ?? null) === false) return ['unknown-extension', null];
        if (property_exists($head, 'kid') && !is_string($head->kid)) return ['bad-kid', null];
        if (!($claims = json_decode($parts[1], false, 17)) instanceof stdClass) return ['bad-payload', null];
        if (($head->alg ?? null) !== 'HS256') return ['wrong-algorithm', null];
        $of = fn (?string $kid) => array_filter($this->keys, fn ($key) => $kid === null || $key[0] === $kid);
        $keys = ($of($head->kid ?? null) && ($head->kid ?? null) !== '') ? $of($head->kid ?? null) : $of('');
        if (!$keys) return ['unknown-key', null];
        $signed = substr($token, 0, (int) strrpos($token, '.'));
        $is = fn (int $which) => array_filter($keys, fn ($key) => hash_equals(hash_hmac('sha256', $signed, $key[$which], true), $parts[2]));
        if ($is(2)) return ['decoy', $claims];
        return $is(1) ? [$this->judge($claims, $header, $now), $claims] : ['bad-signature', null];
    }

    private function judge(stdClass $claims, Closure $header, float $now): string
    {
        $is_time = fn ($time) => (is_int($time) || is_float($time)) && $time >= 0 && $time < 2 ** 53;
        $leeway = (float) ($this->get('LEEWAY') ?? 0);
        if (!$is_time($claims->exp ?? null)) return 'no-exp';
        if ($now >= $claims->exp + $leeway) return 'expired';
        if (property_exists($claims, 'nbf') && !$is_time($claims->nbf)) return 'bad-nbf';
        if ($now + $leeway < ($claims->nbf ?? 0)) return 'not-yet-valid';
        if ($this->get('ISSUER') !== null && ($claims->iss ?? null) !== $this->get('ISSUER')) return 'wrong-issuer';
        $audiences = is_array($claims->aud ?? null) ? $claims->aud : [$claims->aud ?? null];
        if ($this->get('AUDIENCE') !== null && !in_array($this->get('AUDIENCE'), $audiences, true)) return 'wrong-audience';
        $level = is_string($claims->lvl ?? null) ? self::LEVELS[$claims->lvl] ?? 0 : 0;
        if ($this->get('LEVEL') !== null && $level < self::LEVELS[$this->get('LEVEL')]) return 'low-level';
        if ($this->get('BINDING_HEADERS') === null) return 'ok';
        $values = array_map($header, explode(',', $this->get('BINDING_HEADERS')));
        if (in_array('', $values, true)) return 'no-bound-header';
        $pay = base64_encode(hash('sha256', implode("\n", $values), true));
        return is_string($claims->pay ?? null) && hash_equals($pay, $claims->pay) ? 'ok' : 'wrong-pay';
    }

    private function get(string $name): ?string
    {
        return $this->set["TOUCHMARK_$name"] ?? null;
    }
}
