from django.apps import AppConfig


class PlaygroundConfig(AppConfig):
    name = "playground"
    verbose_name = "Messages Playground"

    def ready(self) -> None:
        from playground import taking_over  # noqa: F401 - importing registers it
