#!/usr/bin/env ruby
# client-keys tokens, version 1: issue and verify, on the openssl that comes with Ruby.
require "openssl"

module ClientKeys
  class Refused < StandardError # "malformed", "inauthentic" or "unlisted"; only the last has a key_id
    attr_reader :key_id
    alias verdict message
    def initialize(verdict, key_id = nil) = (super(verdict); @key_id = key_id)
  end

  def self.parse_secret(text) # \A and \z: with ^ and $ one good line among others would be enough
    raise ArgumentError, "CLIENT_SECRET: expected 64 hexadecimal digits" unless text.b.match?(/\A\h{64}\z/)
    [text].pack("H*")
  end

  def self.parse_list(text)
    text.b.split(",").each.with_index(1).filter_map do |entry, number|
      next $1&.downcase if entry =~ /\A[ \t\n\f\r]*(\h{30})?[ \t\n\f\r]*\z/
      raise ArgumentError, "CLIENT_KEYS: entry #{number}: expected 30 hexadecimal digits"
    end
  end

  def self.issue(secret, drawn = OpenSSL::Random.random_bytes(27)) # nonce and id from one draw
    raise ArgumentError, "expected 27 drawn bytes" unless drawn.bytesize == 27
    nonce, id = drawn.unpack("a12a15")
    cipher = OpenSSL::Cipher.new("aes-256-gcm").encrypt
    cipher.key, cipher.iv, cipher.auth_data = secret, nonce, "ck1_"
    payload = nonce + cipher.update(id) + cipher.final + cipher.auth_tag(16)
    [id.unpack1("H*"), "ck1_" + [payload].pack("m0").tr("+/", "-_").delete("=")]
  end

  def self.verify(secret, allowed, token) # `allowed`: ids as parse_list and issue return them
    token = token.b # as bytes, so that the pattern below takes any encoding
    raise Refused, "malformed" unless token.match?(/\Ack1_[A-Za-z0-9_-]{57}[AQgw]\z/) # 4 spare bits: zero
    nonce, ciphertext, tag = (token[4..].tr("-_", "+/") + "==").unpack1("m0").unpack("a12a15a16")
    cipher = OpenSSL::Cipher.new("aes-256-gcm").decrypt
    cipher.key, cipher.iv, cipher.auth_tag, cipher.auth_data = secret, nonce, tag, "ck1_"
    key_id = (cipher.update(ciphertext) + cipher.final).unpack1("H*") # final raises if the tag is wrong
    listed = allowed.count { |entry| OpenSSL.fixed_length_secure_compare(key_id, entry) } # no early exit
    listed.zero? ? raise(Refused.new("unlisted", key_id)) : key_id
  rescue OpenSSL::Cipher::CipherError
    raise Refused, "inauthentic"
  end
end

if __FILE__ == $PROGRAM_NAME
  begin
    secret, allowed = ClientKeys.parse_secret(ENV["CLIENT_SECRET"].to_s), ClientKeys.parse_list(ENV["CLIENT_KEYS"].to_s)
    case ARGV
    in ["issue"] then puts format("key_id=%s\nkey_access_token=%s", *ClientKeys.issue(secret))
    in ["verify", token] then puts "accepted #{ClientKeys.verify(secret, allowed, token)}"
    else raise ArgumentError, "usage: client_keys.rb issue | verify TOKEN"
    end
  rescue ClientKeys::Refused => refused then puts [refused.verdict, refused.key_id].compact.join(" "); exit 1
  rescue ArgumentError => error then warn error.message; exit 2
  end
end
