from django.apps import AppConfig


class PlaygroundConfig(AppConfig):
    name = "playground"
    verbose_name = "Messages Playground"

    def ready(self) -> None:
        from playground.cluster import account_news
        from playground.drafts import claim  # noqa: F401 - registers its signal receiver
        from playground.serving import checks  # noqa: F401 - registers the system checks

        account_news.listen()
