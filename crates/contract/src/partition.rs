//! Partitions of AWS, which the region tells.

/// A partition: its accounts, regions and ARNs are separate from those of other partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partition {
    /// `aws`: every region but those of the others.
    Commercial,
    /// `aws-cn`: the regions in China.
    China,
    /// `aws-us-gov`: the regions of the government of the United States.
    GovCloud,
}

impl Partition {
    /// Returns the partition that a region belongs to.
    pub fn of_region(region: &str) -> Self {
        match region {
            _ if region.starts_with("cn-") => Self::China,
            _ if region.starts_with("us-gov-") => Self::GovCloud,
            _ => Self::Commercial,
        }
    }

    /// Returns the partition's name in an ARN.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Commercial => "aws",
            Self::China => "aws-cn",
            Self::GovCloud => "aws-us-gov",
        }
    }

    /// Returns the domain below which the partition's services are.
    pub const fn domain(self) -> &'static str {
        match self {
            Self::Commercial | Self::GovCloud => "amazonaws.com",
            Self::China => "amazonaws.com.cn",
        }
    }

    /// Returns the host of a service in a region.
    ///
    /// ```
    /// use contract::partition::Partition;
    ///
    /// assert_eq!(Partition::endpoint("s3", "cn-north-1"), "s3.cn-north-1.amazonaws.com.cn");
    /// ```
    pub fn endpoint(service: &str, region: &str) -> String {
        format!("{service}.{region}.{}", Self::of_region(region).domain())
    }
}
