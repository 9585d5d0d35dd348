<?php
$ch = curl_init('https://api.example.test/v1/messages');
curl_setopt($ch, CURLOPT_HTTPHEADER, ['x-api-key: ' . $key, 'anthropic-version: 2023-06-01']);
curl_setopt($ch, CURLOPT_POSTFIELDS, json_encode([
    'model' => 'm-1',
    'max_tokens' => 8,
    'messages' => array(['role' => 'user', 'content' => 'it\'s a "test" & more']),
]));
