<?php

// Stands in for Composer's autoloader and the package anthropic-ai/sdk: the same calls, one request, the worst of what
// the client does to named arguments. It drops nulls, makes objects of empty arrays and renames camel case.

namespace Anthropic;

function sent(mixed $value): mixed
{
    if (!is_array($value)) {
        return $value;
    }
    if ($value === []) {
        return new \stdClass();
    }
    $sent = [];
    foreach ($value as $name => $item) {
        if ($item !== null || array_is_list($value)) {
            $sent[is_string($name) ? snake($name) : $name] = sent($item);
        }
    }
    return $sent;
}

function snake(string $name): string
{
    return strtolower(preg_replace('/(?<=[a-z0-9])[A-Z]/', '_$0', $name));
}

final class Messages
{
    public function __construct(private Client $client)
    {
    }

    public function create(
        int $maxTokens,
        array $messages,
        string $model,
        ?string $inferenceGeo = null,
        ?array $metadata = null,
        ?array $outputConfig = null,
        ?string $serviceTier = null,
        ?array $stopSequences = null,
        string|array|null $system = null,
        ?float $temperature = null,
        ?array $thinking = null,
        ?array $toolChoice = null,
        ?array $tools = null,
        ?int $topK = null,
        ?float $topP = null,
        ?array $requestOptions = null,
    ): object {
        $named = get_defined_vars();
        unset($named['requestOptions']);
        return json_decode(stream_get_contents($this->client->send(sent($named), $requestOptions)));
    }

    public function createStream(mixed ...$arguments): \Generator
    {
        $options = $arguments['requestOptions'] ?? [];
        unset($arguments['requestOptions']);
        $answer = $this->client->send(sent($arguments) + ['stream' => true], $options);
        while (($line = fgets($answer)) !== false) {
            if (str_starts_with($line, 'data:')) {
                yield json_decode(substr($line, 5));
            }
        }
    }
}

final class Client
{
    public Messages $messages;

    public function __construct(
        private ?string $apiKey = null,
        private ?string $authToken = null,
        private ?string $baseUrl = null,
    ) {
        $this->apiKey ??= getenv('ANTHROPIC_API_KEY') ?: '';
        $this->authToken ??= getenv('ANTHROPIC_AUTH_TOKEN') ?: '';
        $this->messages = new Messages($this);
    }

    /** @return resource */
    public function send(array $body, ?array $options)
    {
        $body = [...$body, ...($options['extraBodyParams'] ?? [])];
        $headers = ['anthropic-version' => '2023-06-01', 'content-type' => 'application/json', 'connection' => 'close'];
        $headers += $this->apiKey ? ['x-api-key' => $this->apiKey] : [];
        $headers += $this->authToken ? ['authorization' => "Bearer {$this->authToken}"] : [];
        $headers = [...$headers, ...($options['extraHeaders'] ?? [])];
        $query = http_build_query($options['extraQueryParams'] ?? [], encoding_type: PHP_QUERY_RFC3986);
        $content = json_encode($body, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);
        $lines = array_map(fn ($name, $value) => "{$name}: {$value}", array_keys($headers), $headers);
        $http = ['method' => 'POST', 'protocol_version' => 1.1, 'header' => $lines, 'content' => $content];
        $url = "{$this->baseUrl}/v1/messages" . ($query === '' ? '' : "?{$query}");
        return fopen($url, 'r', false, stream_context_create(['http' => $http]));
    }
}
