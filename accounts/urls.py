"""`/accounts/…`, and the addresses of connections and access keys, which stand at the top of the site."""

from django.urls import URLPattern, path

from accounts.views import access_keys, account, connections, sign_in

urlpatterns: list[URLPattern] = [
    path("login/", sign_in.log_in, name="login"),
    path("logout/", sign_in.log_out, name="logout"),
    path("signup/", sign_in.sign_up, name="signup"),
    path("", account.account, name="account"),
    path("password/", account.change_password, name="password-change"),
    path("keep-content/", account.keep_content, name="account-keep-content"),
    path("delete/", account.delete_account, name="account-delete"),
]

connection_patterns: list[URLPattern] = [
    path("", connections.connections, name="connections"),
    path("new/", connections.add_connection, name="connection-add"),
    path("header-row/", connections.header_row, name="connection-header-row"),
    path("<uuid:connection_id>/", connections.change_connection, name="connection-edit"),
    path("<uuid:connection_id>/delete/", connections.delete_connection, name="connection-delete"),
]

key_patterns: list[URLPattern] = [
    path("", access_keys.access_keys, name="access-keys"),
    path("<int:key_id>/revoke/", access_keys.revoke_access_key, name="access-key-revoke"),
]
