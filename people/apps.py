from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PeopleConfig(AppConfig):
    name = "people"
    verbose_name = "People"

    def ready(self) -> None:
        from people import roles

        # This app is the last one that is migrated, so every permission is there.
        post_migrate.connect(roles.write_groups, sender=self, dispatch_uid="roles")
