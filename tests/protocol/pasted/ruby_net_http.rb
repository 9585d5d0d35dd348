require 'net/http'
require 'json'
uri = URI('https://api.example.test/v1/messages')
request = Net::HTTP::Post.new(uri, 'anthropic-version' => '2023-06-01')
request.body = { 'model' => 'm-1', 'max_tokens' => 8, 'messages' => [{ 'role' => 'user', 'content' => 'it\'s a "test" & more' }] }.to_json
