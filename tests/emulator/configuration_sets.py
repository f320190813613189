"""SES's configuration sets in the first API: event destinations, which ministack has in the second API only."""

from ministack.services import ses, sns
from queries import add_actions, done, members, parameter, refused


def install():
    add_actions({
        "DescribeConfigurationSet": describe,
        "CreateConfigurationSetEventDestination": create,
        "UpdateConfigurationSetEventDestination": update,
        "DeleteConfigurationSetEventDestination": delete,
    })


def destinations_of(parameters):
    """The event destinations of the set that is named, by name, or SES's refusal."""
    name = parameter(parameters, "ConfigurationSetName")
    named = ses._configuration_sets.get(name)
    return (named.setdefault("Destinations", {}), None) if named else (None, ses._config_set_missing(name))


def sent(parameters):
    """The event destination of a call, or SES's refusal."""
    topic = parameter(parameters, "EventDestination.SNSDestination.TopicARN")
    if topic and topic not in sns._topics:
        return None, refused("InvalidSNSDestination", f"SNS topic not found: {topic}")
    destination = {
        "Name": parameter(parameters, "EventDestination.Name"),
        "Enabled": parameter(parameters, "EventDestination.Enabled").lower() == "true",
        "MatchingEventTypes": members(parameters, "EventDestination.MatchingEventTypes"),
    }
    if topic:
        destination["SNSDestination"] = {"TopicARN": topic}
    return destination, None


def create(parameters):
    destinations, error = destinations_of(parameters)
    if error:
        return error
    destination, error = sent(parameters)
    if error:
        return error
    name = destination["Name"]
    if name in destinations:
        return refused("EventDestinationAlreadyExists", f"An event destination named {name} exists")
    destinations[name] = destination
    return done("CreateConfigurationSetEventDestination")


def update(parameters):
    destinations, error = destinations_of(parameters)
    if error:
        return error
    destination, error = sent(parameters)
    if error:
        return error
    if destination["Name"] not in destinations:
        return missing(destination["Name"])
    destinations[destination["Name"]] = destination
    return done("UpdateConfigurationSetEventDestination")


def delete(parameters):
    destinations, error = destinations_of(parameters)
    if error:
        return error
    name = parameter(parameters, "EventDestinationName")
    if destinations.pop(name, None) is None:
        return missing(name)
    return done("DeleteConfigurationSetEventDestination")


def missing(name):
    return refused("EventDestinationDoesNotExist", f"There is no event destination named {name}")


def describe(parameters):
    destinations, error = destinations_of(parameters)
    if error:
        return error
    answer = {"ConfigurationSet": {"Name": parameter(parameters, "ConfigurationSetName")}}
    if destinations and "eventDestinations" in members(parameters, "ConfigurationSetAttributeNames"):
        answer["EventDestinations"] = list(destinations.values())
    return done("DescribeConfigurationSet", answer)
