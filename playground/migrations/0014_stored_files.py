from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("playground", "0013_several_processes"),
    ]

    operations = [
        migrations.CreateModel(
            name="StoredFile",
            fields=[
                ("name", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("data", models.BinaryField()),
            ],
        ),
    ]
