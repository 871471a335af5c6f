<?php
// A route behind the recipe, for `php -S`. It tells the test status and reason, which nobody else is told.
require __DIR__ . '/../php/touchmark.php';

$touchmark = new Touchmark(
    array_filter(getenv(), fn ($name) => $name !== 'TEST_NOW', ARRAY_FILTER_USE_KEY),
    fn () => (float) getenv('TEST_NOW'),
);
[$reason] = $touchmark->check($_SERVER['REQUEST_METHOD'], getallheaders());
header('X-Status: ' . (Touchmark::STATUS[$reason] ?? 'malformed') . " $reason");
$touchmark->guard();
header('Content-Type: application/json');
echo '{"served":true}';
